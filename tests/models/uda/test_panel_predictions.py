"""Predictions as a training panel shows them."""

import torch

from mmseg.models.uda.panel_predictions import prediction_panel
from mmseg.structures import SegOutput


def one_hot_scores(labels, classes=3):
    return 50 * torch.nn.functional.one_hot(torch.as_tensor(labels), classes).permute(2, 0, 1)[None].float()


def test_plain_network_shows_its_label_map():
    out = SegOutput([], {'main': one_hot_scores([[0, 1], [2, 2]])})
    panel = prediction_panel('mixed', out, (2, 2))
    assert list(panel) == ['mixed_prediction']
    assert panel['mixed_prediction'].tolist() == [[[0, 1], [2, 2]]]


def test_hrda_shows_both_scales_and_the_attention_of_predicted_classes():
    attention = torch.tensor([0.25, 0.5, 1.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    logits = {
        'main': one_hot_scores(torch.ones(4, 4, dtype=torch.int64)),
        'context': one_hot_scores(torch.full((2, 2), 2)),
        'hr': one_hot_scores([[0, 1]]),
        'attention': attention,
    }
    panel = prediction_panel('source', SegOutput([], logits, crop_box=torch.tensor([1, 2, 2, 4])), (4, 4))
    assert panel['source_context_prediction'].unique().tolist() == [2]
    expected = torch.full((4, 4), 255)
    expected[1, 2:] = torch.tensor([0, 1])
    assert torch.equal(panel['source_detail_prediction'][0], expected)
    assert torch.allclose(panel['source_detail_attention'], torch.full((1, 4, 4), 0.5))
