"""Two processes make the prototypes of one, whatever the number of images and with one that cannot be read."""

import torch

from mmseg.engine.target_prototype_pass import Epochs, target_prototypes
from mmseg.registry import MODELS
from tests.engine.test_gradient_sync import in_processes
from tests.tools.tiny_run import model_config, student


class Images:
    """Five images of noise, the fourth of which is broken."""

    metainfo = {'classes': ('road', 'sky', 'car')}

    def __len__(self):
        return 5

    def sample(self, index, draws):
        if index == 3:
            raise ValueError('broken.png: cannot be read')
        shade = torch.full((3, 24, 32), 40 * index + draws.generator.integers(10), dtype=torch.uint8)
        shade[0, :, :16] = 250 - 30 * index
        return {'image': shade, 'meta': {'img_shape': (24, 32)}}


def prototypes(rank=0):
    preprocessor = MODELS.build(model_config()['data_preprocessor'])
    found = target_prototypes(preprocessor, student().eval(), Epochs(Images(), 1), 'cpu', workers=0)
    return found.vectors.numpy(), found.counts.numpy()


def test_two_processes_make_the_prototypes_of_one():
    vectors, counts = prototypes()
    assert counts.max() == 4
    for other_vectors, other_counts in in_processes(prototypes):
        assert (other_counts == counts).all()
        torch.testing.assert_close(torch.from_numpy(other_vectors), torch.from_numpy(vectors), rtol=0, atol=0)
