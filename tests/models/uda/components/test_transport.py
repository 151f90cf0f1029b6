import pytest
import torch
import torch.nn.functional as F

from mmseg.models.uda.components import transport
from mmseg.models.uda.components.transport import PrototypeTransport, transport_costs
from mmseg.structures import SegOutput
from tests.models.segmentors import small_networks


def random_inputs(classes=4, batch=3, channels=5, size=(4, 6)):
    generator = torch.Generator().manual_seed(0)
    features, logits = (
        torch.randn(batch, width, *size, generator=generator, dtype=torch.float64).requires_grad_()
        for width in (channels, classes)
    )
    return features, logits, torch.randn(classes, channels, generator=generator, dtype=torch.float64)


def one_by_one(features, logits, prototypes):
    """The two definitions, pixel by pixel and class by class."""
    f = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    z = logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1])
    per_pixel, per_class = [], []
    for p in range(len(f)):
        costs = 1 - F.cosine_similarity(f[p][None], prototypes)
        per_pixel.append((z[p].softmax(0) * costs).sum())
    for k in range(len(prototypes)):
        costs = 1 - F.cosine_similarity(f, prototypes[k][None])
        per_class.append((z[:, k].softmax(0) * costs).sum())
    return torch.stack(per_pixel).mean(), torch.stack(per_class).mean()


def test_costs_and_gradients_are_those_of_the_definition():
    features, logits, prototypes = random_inputs()
    ours = transport_costs(features, logits, prototypes)
    for cost, expected in zip(ours, one_by_one(features, logits, prototypes), strict=True):
        torch.testing.assert_close(cost, expected)
        for leaf in (features, logits):
            torch.testing.assert_close(
                torch.autograd.grad(cost, leaf, retain_graph=True)[0],
                torch.autograd.grad(expected, leaf, retain_graph=True)[0],
            )


def test_a_class_of_few_pixels_counts_as_much_as_any():
    """Two opposite prototypes; a single pixel far from its own decides half of the cost per class."""
    features = torch.tensor([[1.0, 0.0]]).repeat(100, 1)
    logits = torch.tensor([[50.0, -50.0]]).repeat(100, 1)
    logits[0] = torch.tensor([-50.0, 50.0])  # the only pixel of class 1 looks like class 0
    as_image = [tensor.t()[None, :, None] for tensor in (features, logits)]
    costs = transport_costs(*as_image, torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    assert float(costs.per_pixel) == pytest.approx(2 / 100)
    assert float(costs.per_class) == pytest.approx((0 + 2) / 2)


def test_large_logits_and_half_precision():
    features, logits, prototypes = random_inputs()
    costs = transport_costs(features, 1e4 * logits, prototypes)
    assert all(cost.isfinite() for cost in costs)
    with torch.autocast('cpu', torch.bfloat16):
        assert {cost.dtype for cost in transport_costs(features.float(), logits.float(), prototypes)} == {torch.float32}


@pytest.mark.parametrize('detach', [True, False])
def test_prototypes_are_the_rows_of_the_classifier(detach):
    student = small_networks.build()
    features, logits, _ = random_inputs(classes=student.num_classes, channels=student.decode_head.channels)
    losses = PrototypeTransport(0.5, 0.25, detach)(SegOutput([], {'main': logits}, features), student)
    rows = student.decode_head.conv_seg.weight.detach().flatten(1)
    expected = transport_costs(features, logits, rows)
    torch.testing.assert_close(losses['loss_transport_pixel'], 0.5 * expected.per_pixel)
    torch.testing.assert_close(losses['loss_transport_class'], 0.25 * expected.per_class)
    sum(losses.values()).backward()
    assert (student.decode_head.conv_seg.weight.grad is None) == detach


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match='uda.transport: weights are at least 0'):
        PrototypeTransport(per_pixel=-1)


def test_two_processes_share_the_softmax_over_pixels(monkeypatch):
    """Each sees half of the images; sums over processes are handed in, gradients are averaged."""
    features, logits, prototypes = random_inputs(batch=4)
    whole = transport_costs(features, logits, prototypes).per_class
    expected = torch.autograd.grad(whole, (features, logits))
    costs = 1 - F.cosine_similarity(features[:, None], prototypes[None, :, :, None, None], dim=2)
    highest = logits.detach().amax(dim=(0, 2, 3))
    share = (logits.detach() - highest[:, None, None]).exp()
    totals = [share.sum(dim=(0, 2, 3)), (share * costs.detach()).sum(dim=(0, 2, 3))]
    for name, value in (('world_size', lambda: 2), ('reduce_max', lambda _: highest)):
        monkeypatch.setattr(transport, name, value)
    for part in (slice(0, 2), slice(2, 4)):
        waiting = list(totals)
        monkeypatch.setattr(transport, 'reduce_sum', lambda _, waiting=waiting: waiting.pop(0))
        own = [leaf.detach()[part].requires_grad_() for leaf in (features, logits)]
        cost = transport_costs(*own, prototypes).per_class
        torch.testing.assert_close(cost, whole)
        for gradient, all_of_it in zip(torch.autograd.grad(cost, own), expected, strict=True):
            torch.testing.assert_close(gradient / 2, all_of_it[part])
