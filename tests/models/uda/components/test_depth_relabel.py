import pytest
import torch
import torch.nn.functional as F

from mmseg.models.uda.components.depth_relabel import (
    SoftLabels,
    class_shares,
    guidance_loss,
    hard_share,
    reweight,
    soft_labels,
)
from mmseg.models.uda.components.depth_similarity import DepthMatch

C = 5
SIMILARITY = torch.tensor([[0.9, 0.05, 0.4, 0.75, 0.1], [0.2, 0.8, 0.0, 0.76, 0.5]])


def maps(size=(12, 12), seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, C, (2, *size), generator=generator)
    labels[0, 3, :4] = 255
    confident = torch.rand(2, *size, generator=generator) < 0.5
    return torch.full((2, *size), 0.4, dtype=torch.float64), labels, confident


def by_loops(weight, labels, confident, chosen, ignored, region):
    """The rules one class after the other; ``first_row`` with the published mix-up of rows and columns."""
    weight = weight.clone()
    for image in range(2):
        for c in range(C):
            mine = labels[image] == c
            if not chosen[image] or c in ignored or not mine.any():
                continue
            v = float(SIMILARITY[image, c])
            new = 0 if v < 0.1 else (v - 0.1) / 0.65
            if region == 'class':
                weight[image][mine & confident[image] if v > 0.75 else mine] = 1 if v > 0.75 else new
                continue
            first = labels[image][0] == c
            if v > 0.75:
                part = weight[image][:, first]
                part[confident[image][:, first]] = 1
                weight[image][:, first] = part
            else:
                weight[image][first] = new
    return weight


@pytest.mark.parametrize('region', ['class', 'first_row'])
@pytest.mark.parametrize('ignored', [(), (0, 2)])
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_reweight_equals_the_rules_class_by_class(region, ignored, seed):
    weight, labels, confident = maps(seed=seed)
    chosen = torch.tensor([True, seed == 1])
    ours = reweight(weight, labels, confident, SIMILARITY, chosen, ignore_classes=ignored, region=region)
    expected = by_loops(weight, labels, confident, chosen, ignored, region)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-7)
    assert ours.dtype == torch.float64


def test_any_shape_but_with_first_row():
    weight, labels, confident = maps(size=(6, 10))
    chosen = torch.ones(2, dtype=torch.bool)
    ours = reweight(weight, labels, confident, SIMILARITY, chosen)
    torch.testing.assert_close(ours, by_loops(weight, labels, confident, chosen, (), 'class'), rtol=0, atol=1e-7)
    with pytest.raises(ValueError, match=r"needs square crops, not \(6, 10\); use 'class'"):
        reweight(weight, labels, confident, SIMILARITY, chosen, region='first_row')


def match_of(counts, missing):
    batch = len(counts)
    return DepthMatch(torch.zeros(batch).long(), torch.ones(batch), torch.ones(batch, C), missing, counts)


def test_shares_are_those_of_the_crop_at_each_depth():
    counts = torch.zeros(2, C, 256)
    counts[:, 0, 10], counts[:, 1, 10], counts[:, 1, 20], counts[:, 2, 30] = 30, 10, 4, 7
    missing = torch.tensor([[False, True, True, False, False]]).expand(2, -1)
    shares = class_shares(match_of(counts, missing), torch.tensor([True, False]))
    assert shares[0, 1, 10] == 0.25
    assert shares[0, 1, 20] == shares[0, 2, 30] == torch.tensor(0.99999)
    assert shares[0].count_nonzero() == 3
    assert not shares[1].any()


def test_soft_labels_follow_depth():
    shares = torch.rand(2, C, 256)
    for depth in (torch.randint(0, 256, (2, 4, 6), dtype=torch.uint8), torch.rand(2, 4, 6) * 255):
        soft = soft_labels(shares, depth, [(0, 3), (1, 0)])
        assert (soft.images, soft.classes) == ([0, 1], [3, 0])
        assert torch.equal(soft.values[1], shares[1, 0][depth[1].long()])
    assert soft_labels(shares, depth, []).values.shape == (0, 4, 6)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_loss_and_gradient_equal_those_of_dense_labels(dtype):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, C, 3, 4, generator=generator, dtype=dtype, requires_grad=True)
    labels = torch.randint(0, 2, (2, 12, 16), generator=generator)
    labels[0, :2] = 255
    weight = torch.rand(2, 12, 16, generator=generator, dtype=dtype)
    values = torch.rand(3, 12, 16, generator=generator) / 3 * (torch.rand(3, 12, 16, generator=generator) < 0.5)
    soft = SoftLabels([0, 0, 1], [2, 4, 3], values)
    loss = guidance_loss(logits, labels, soft, weight)
    ours = torch.autograd.grad(loss, logits)[0]

    dense = (labels[..., None] == torch.arange(C)).to(dtype) * hard_share(soft, 2)[..., None]
    for image, c, plane in zip(*soft, strict=True):
        dense[image, ..., c] += plane
    assert torch.allclose(dense.sum(3)[labels < C], torch.ones((), dtype=dtype))
    logs = F.interpolate(logits, size=(12, 16), mode='bilinear').log_softmax(1)
    expected = (-(dense.permute(0, 3, 1, 2) * logs).sum(1) * weight).mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(ours, torch.autograd.grad(expected, logits)[0])


def test_the_loss_is_taken_in_float32_under_autocast():
    logits = torch.randn(1, C, 4, 4).bfloat16()
    soft = SoftLabels([0], [1], torch.rand(1, 4, 4))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = guidance_loss(logits, torch.zeros(1, 4, 4).long(), soft, torch.ones(1, 4, 4))
    assert loss.dtype == torch.float32
