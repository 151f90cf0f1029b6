import pytest
import torch

from mmseg.models.uda.components.masked_consistency import MaskedConsistency, OwnTeacher
from mmseg.models.uda.components.pseudo_labels import PseudoLabels
from mmseg.models.uda.components.strong_augment import StrongAugment
from mmseg.structures import DomainBatch
from tests.models.uda.toy import ToySegmentor, random_batch


@pytest.fixture
def batch():
    return random_batch(batch=4)


@pytest.fixture
def pseudo():
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 5, (4, 32, 48), generator=generator)
    return PseudoLabels(labels, torch.rand(4, 32, 48, generator=generator, dtype=torch.float64))


def test_target_images_keep_pseudo_labels_and_weights(batch, pseudo):
    chosen = MaskedConsistency('separatetrg').select(batch.source, batch.target, pseudo)
    assert chosen.images is batch.target.images
    assert chosen.labels is pseudo.labels and chosen.weight is pseudo.weight


def test_source_images_keep_their_labels_and_need_no_target(batch):
    chosen = MaskedConsistency('separatesrc').select(batch.source, None, None)
    assert chosen.images is batch.source.images and chosen.labels is batch.source.labels and chosen.weight is None


def test_separate_takes_the_same_number_of_both(batch, pseudo):
    """Of two images the first of both domains; of more every second, so that processes of two see the same."""
    mic = MaskedConsistency('separate')
    whole = mic.select(batch.source, batch.target, pseudo)
    for part, first in ((slice(0, 2), 0), (slice(2, 4), 2)):
        source = DomainBatch(batch.source.images[part], batch.source.labels[part])
        target = DomainBatch(batch.target.images[part])
        two = mic.select(source, target, PseudoLabels(pseudo.labels[part], pseudo.weight[part]))
        assert torch.equal(two.images, torch.stack([batch.source.images[first], batch.target.images[first]]))
        assert torch.equal(two.labels, torch.stack([batch.source.labels[first], pseudo.labels[first]]))
        assert torch.equal(two.weight, torch.stack([torch.ones(32, 48).double(), pseudo.weight[first]]))
        assert all(torch.equal(ours[part], theirs) for ours, theirs in zip(whole, two, strict=True))


@pytest.mark.parametrize('mode', ['separatetrg', 'separate', 'separatetrgaug'])
def test_target_data_is_needed(batch, mode):
    with pytest.raises(ValueError, match=f"mode '{mode}' masks target images.*UDADataset"):
        MaskedConsistency(mode).select(batch.source, None, None)


def test_separate_needs_an_even_batch(pseudo):
    batch = random_batch(batch=3)
    labels = PseudoLabels(pseudo.labels[:3], pseudo.weight[:3])
    with pytest.raises(ValueError, match='batch_size must be even, not 3'):
        MaskedConsistency('separate').select(batch.source, batch.target, labels)


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'mode': 'target'}, "mode 'target' does not exist, choose one of separate, separateaug, separatesrc"),
        ({'mode': None}, 'mode None does not exist'),
        ({'alpha': 'smae'}, "alpha is a number or 'same', not 'smae'"),
        ({'threshold': 'none'}, "threshold is a number or 'same'"),
        ({'generator': {'type': 'blok'}}, "uda.masking.generator: type 'blok' is not registered"),
        ({'generator': {'mask_ratio': 0.5}}, 'uda.masking.generator: type None'),
        ({'generator': {'type': 'block', 'ratio': 0.5}}, "has no setting 'ratio'.*mask_ratio"),
    ],
)
def test_wrong_settings_are_one_clear_line(settings, words):
    with pytest.raises(ValueError, match=words) as caught:
        MaskedConsistency(**settings)
    assert '\n' not in str(caught.value)


def test_settings_of_the_generator_are_left_alone():
    generator = {'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 32}
    assert MaskedConsistency(generator=generator).generator.mask_block_size == 32
    assert generator == {'type': 'block', 'mask_ratio': 0.5, 'mask_block_size': 32}


def test_weight_scales_losses_and_no_accuracies():
    losses = {
        'decode.loss_seg': torch.tensor(2.0),
        'decode.hr.loss_seg': torch.tensor(4.0),
        'decode.acc_seg': torch.tensor(8.0),
    }
    scaled = MaskedConsistency(weight=0.5).weighted(losses)
    assert [float(value) for value in scaled.values()] == [1.0, 2.0, 8.0]


def test_augmentation_has_one_order_and_one_blur_but_own_factors():
    mic = MaskedConsistency('separatetrgaug')
    mic.augment = StrongAugment(jitter_probability=1.0)
    blurred = 0
    for seed in range(20):
        drawn = mic.draw_augmentation(3, torch.Generator().manual_seed(seed))
        assert (drawn.order == drawn.order[:1]).all() and len(drawn.order) == 3
        assert not torch.equal(drawn.factors[0], drawn.factors[1])
        if drawn.sigma is not None:
            blurred += 1
            assert (drawn.sigma == drawn.sigma[0]).all() and len(drawn.sigma) == 3
    assert 0 < blurred < 20


def test_own_teacher_takes_what_is_not_its_own_from_the_method():
    settings = {'alpha': 0.99, 'eval_mode': True}, {'threshold': 0.968, 'ignore_top': 3}
    same = MaskedConsistency(alpha='same', threshold='same').own_teacher(ToySegmentor(), *settings)
    assert (same.average.alpha, same.labeler.threshold) == (0.99, 0.968)
    own = MaskedConsistency(alpha=0, threshold=None).own_teacher(ToySegmentor(), *settings)
    assert (own.average.alpha, own.labeler.threshold) == (0, None)
    assert own.average.eval_mode and own.labeler.ignore_top == 3
    assert isinstance(own, OwnTeacher) and all(name.startswith('ema_model.') for name in own.state_dict())


def test_own_teacher_is_frozen_without_dropout_and_trusts_every_pixel_without_threshold(batch):
    teacher = MaskedConsistency(alpha=0.9, threshold=None).own_teacher(ToySegmentor(dropout=0.5).double(), None, None)
    teacher.eval()
    teacher.train()
    assert teacher.ema_model.backbone.norm.training and not teacher.ema_model.backbone.dropout.training
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    labels, weight = teacher(batch.target)
    assert torch.equal(weight, torch.ones_like(weight)) and labels.shape == (4, 32, 48)


def test_alpha_of_zero_copies_the_student():
    teacher = MaskedConsistency(alpha=0).own_teacher(ToySegmentor(), None, None)
    for iteration in range(3):
        student = ToySegmentor()
        teacher.update(student, iteration)
        pairs = zip(teacher.ema_model.parameters(), student.parameters(), strict=True)
        assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
