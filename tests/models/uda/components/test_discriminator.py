import pytest
import torch
import torch.nn.functional as F

from mmseg.models.uda.components.discriminator import SOURCE, TARGET, AdversarialLoss, Discriminator, frozen


def test_names_and_shapes_are_the_published_ones():
    shapes = {name: tuple(value.shape) for name, value in Discriminator(19).state_dict().items()}
    widths = [19, 64, 128, 256, 512, 1]
    names = ['conv1', 'conv2', 'conv3', 'conv4', 'classifier']
    expected = {f'{name}.weight': (widths[i + 1], widths[i], 4, 4) for i, name in enumerate(names)}
    expected |= {f'{name}.bias': (widths[i + 1],) for i, name in enumerate(names)}
    assert shapes == expected


def test_forward_is_five_convolutions_with_leaky_relus_between():
    torch.manual_seed(0)
    network = Discriminator(5).double()
    x = torch.randn(2, 5, 64, 96, dtype=torch.float64)
    scores = network(x)
    assert scores.shape == (2, 1, 2, 3)
    for name in ('conv1', 'conv2', 'conv3', 'conv4'):
        x = F.conv2d(x, network.state_dict()[f'{name}.weight'], network.state_dict()[f'{name}.bias'], 2, 1)
        x = torch.where(x > 0, x, 0.2 * x)
    x = F.conv2d(x, network.state_dict()['classifier.weight'], network.state_dict()['classifier.bias'], 2, 1)
    torch.testing.assert_close(scores, x)


def test_losses_in_closed_form():
    scores = torch.tensor([-1.0, 0.5, 2.0], dtype=torch.float64)
    squares = AdversarialLoss('LS')
    assert float(squares(scores, SOURCE)) == pytest.approx((1 + 0.25 + 4) / 3)
    assert float(squares(scores, TARGET)) == pytest.approx((4 + 0.25 + 1) / 3)
    entropy = AdversarialLoss('Vanilla')
    assert float(entropy(scores, SOURCE)) == pytest.approx(float(F.softplus(scores).mean()))
    assert float(entropy(scores, TARGET)) == pytest.approx(float(F.softplus(-scores).mean()))


def test_losses_of_half_precision_scores_are_float32():
    assert AdversarialLoss('LS')(torch.ones(2, dtype=torch.bfloat16), SOURCE).dtype == torch.float32


def test_unknown_loss():
    with pytest.raises(ValueError, match="discriminator_loss: 'WGAN' does not exist, choose one of LS, Vanilla"):
        AdversarialLoss('WGAN')


def test_gradients_flow_through_a_frozen_network_but_not_into_it():
    network, x = Discriminator(3), torch.randn(1, 3, 32, 32, requires_grad=True)
    with frozen(network):
        loss = network(x).sum()
    loss.backward()
    assert x.grad is not None and x.grad.any()
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
