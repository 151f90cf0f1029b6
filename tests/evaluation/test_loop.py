"""The loop of an evaluation: files are whole when it ends, whatever ends it; options of the config reach it."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.evaluation.evaluate import build_loader, build_metric, build_networks, evaluate, predict_all
from mmseg.registry import DATASETS
from tests.tools.tiny_run import config, make_run, write_images


@pytest.fixture
def parts(tmp_path):
    """Config, dataset, preprocessor and network of four images."""
    write_images(tmp_path, 'val', 4)
    cfg = config(tmp_path)
    dataset = DATASETS.build(cfg.test_dataloader.dataset.to_dict())
    preprocessor, model = build_networks(cfg)
    return cfg, dataset, preprocessor, model.eval()


def test_files_of_all_predictions_so_far_after_an_interruption(parts, tmp_path):
    cfg, dataset, preprocessor, model = parts
    metric = build_metric(cfg, dataset, {'output_dir': str(tmp_path / 'out'), 'to_label_id': False})

    def interrupted():
        for number, batch in enumerate(build_loader(dataset, {})):
            if number == 3:
                raise KeyboardInterrupt
            yield batch

    with pytest.raises(KeyboardInterrupt):
        predict_all(model, preprocessor, interrupted(), metric)
    files = sorted((tmp_path / 'out').iterdir())
    assert len(files) == 3 and all(np.asarray(Image.open(file)).shape == (24, 32) for file in files)


def test_a_file_that_cannot_be_written_ends_the_evaluation(parts, tmp_path):
    cfg, dataset, preprocessor, model = parts
    (tmp_path / 'out').write_text('a file, no folder')
    metric = build_metric(cfg, dataset, {'output_dir': str(tmp_path / 'out'), 'to_label_id': False})
    with pytest.raises(OSError, match='out'):
        predict_all(model, preprocessor, build_loader(dataset, {}), metric)


@pytest.mark.parametrize('batch_size', [1, 3])
@pytest.mark.parametrize('workers', [0, 1])
def test_counts_are_those_of_a_straightforward_computation(parts, batch_size, workers):
    cfg, dataset, preprocessor, model = parts
    metric = build_metric(cfg, dataset, {})
    section = {'batch_size': batch_size, 'num_workers': workers, 'prefetch_factor': 3}
    predict_all(model, preprocessor, build_loader(dataset, section), metric)
    metric.evaluate(len(dataset))
    expected = np.zeros((3, 3), int)
    for sample in dataset:
        image = preprocessor({'inputs': [sample['inputs']], 'data_samples': None}, False)['inputs']
        label = sample['data_samples'].gt_sem_seg.data[0].numpy()
        with torch.no_grad():
            logits = torch.nn.functional.interpolate(model.encode_decode(image), size=label.shape, mode='bilinear')
        prediction = logits.softmax(1).argmax(1)[0].numpy()
        np.add.at(expected, (label[label != 255], prediction[label != 255]), 1)
    np.testing.assert_array_equal(metric.confusion.numpy(), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_nothing_waits_for_a_gpu(parts, tmp_path):
    cfg, dataset, preprocessor, model = parts
    preprocessor.cuda()
    model.cuda()
    batches = list(build_loader(dataset, {}))
    expected, metric = (build_metric(cfg, dataset, {'output_dir': str(tmp_path / 'out'), 'to_label_id': False})
                        for _ in range(2))  # fmt: skip
    predict_all(model, preprocessor, batches, expected)
    torch.cuda.set_sync_debug_mode('error')
    try:
        predict_all(model, preprocessor, batches, metric)
    finally:
        torch.cuda.set_sync_debug_mode('default')
    expected.evaluate(4)
    metric.evaluate(4)
    assert torch.equal(metric.confusion, expected.confusion)
    assert len(list((tmp_path / 'out').iterdir())) == 4


def test_channels_last_of_the_config(tmp_path, monkeypatch):
    run = make_run(tmp_path / 'run', tmp_path / 'data')
    cfg, orders = config(tmp_path / 'data'), []

    def record(self, *arguments):
        weight = self.backbone.second.weight
        orders.append(weight.is_contiguous(memory_format=torch.channels_last))
        return original(self, *arguments)

    from mmseg.models.segmentors.encoder_decoder import EncoderDecoder

    original = EncoderDecoder.predict
    monkeypatch.setattr(EncoderDecoder, 'predict', record)
    plain = evaluate(cfg, run / 'latest.pth')
    cfg.channels_last = True
    last = evaluate(cfg, run / 'latest.pth', precision='fp32')
    assert orders == [False] * 3 + [True] * 3
    assert (plain.confusion - last.confusion).abs().sum() <= 2
