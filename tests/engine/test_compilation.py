"""Compiled networks train as uncompiled ones do, and a compiler that fails never stops a run."""

import logging

import pytest
import torch
import torch._dynamo
from mmengine.optim import OptimWrapper

from benchmarks._step_modes import build, without_weights
from benchmarks._synthetic import loader_batch
from mmseg.engine.compilation import CUDA_GRAPHS, CompiledNetworks, compile_method
from mmseg.engine.config import load_config
from mmseg.models.uda import build_method
from tests.engine.test_resume_dacs import dacs_config
from tests.engine.toy import toy_runner

SIZE = (64, 64)


@pytest.fixture(autouse=True)
def clean():
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


def method_for(tmp_path, hrda=False):
    cfg = dacs_config(tmp_path, tmp_path)
    sizes = {'embed_dims': [8, 8, 16, 16], 'num_heads': [1, 1, 2, 2], 'depths': [1, 1, 1, 1], 'sr_ratios': [8, 4, 2, 1]}
    cfg.model.backbone = {'type': 'MixVisionTransformer', 'drop_path_rate': 0.1, **sizes}
    cfg.model.decode_head.in_channels = sizes['embed_dims']
    if hrda:
        cfg.model.type = 'HRDAEncoderDecoder'
        cfg.model.hr_crop_size, cfg.model.crop_coord_divisible = (32, 32), 8
        cfg.model.decode_head.single_scale_head, cfg.model.decode_head.type = cfg.model.decode_head.type, 'HRDAHead'
        cfg.model.decode_head.attention_embed_dim = 16
    torch.manual_seed(0)
    return build_method(cfg).train()


def sgd(method):
    return OptimWrapper(torch.optim.SGD(method.student.parameters(), lr=0.05))


def steps(method, count=3):
    optim_wrapper = sgd(method)
    for number in range(count):
        method.train_step(loader_batch(SIZE, 2, 19, adapts=True, depth=False, seed=number), optim_wrapper)
    return method


@pytest.fixture
def messages(monkeypatch):
    told = []
    monkeypatch.setattr('mmseg.engine.compilation.print_log', lambda text, logger, level: told.append((level, text)))
    return told


def test_compiled_networks_give_the_same_weights_and_names(tmp_path):
    plain, compiled = method_for(tmp_path), method_for(tmp_path)
    compile_method(compiled, {'backend': 'eager'})
    assert set(compiled.compiled.names) == {
        f'{network}.{part}' for network in ('model', 'ema_model') for part in ('backbone', 'decode_head')
    }
    steps(plain), steps(compiled)
    assert compiled.compiled is not None
    assert torch._dynamo.utils.counters['stats']['unique_graphs'] > 0
    ours, theirs = compiled.state_dict(), plain.state_dict()
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5, msg=name)


def failing_backend(graph, inputs):
    raise RuntimeError('no compiler here')


def failing_in_backward(graph, inputs):
    from torch._dynamo.backends.common import aot_autograd
    from torch._functorch.aot_autograd import make_boxed_func

    def backward(graph, inputs):
        raise OSError('no compiler for gradients')

    return aot_autograd(fw_compiler=lambda graph, inputs: make_boxed_func(graph.forward), bw_compiler=backward)(
        graph, inputs
    )


@pytest.mark.parametrize('backend', [failing_backend, failing_in_backward])
def test_a_compiler_that_fails_costs_one_warning(tmp_path, messages, backend):
    plain, compiled = method_for(tmp_path), method_for(tmp_path)
    compile_method(compiled, {'backend': backend})
    steps(plain), steps(compiled)
    (warning,) = [text for level, text in messages if level == logging.WARNING]
    assert 'could not be compiled' in warning
    assert compiled.compiled is None
    # Teacher and statistics too: the step that was begun twice moved them once.
    ours = compiled.state_dict()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(ours[name], value, msg=name)


@pytest.mark.parametrize(('kind', 'steps_before'), [(torch.OutOfMemoryError, 0), (RuntimeError, 3)])
def test_errors_that_are_not_the_compilers_end_the_run(tmp_path, messages, kind, steps_before):
    method = method_for(tmp_path)
    compile_method(method, {'backend': 'eager'})
    steps(method, steps_before)

    def fail(*_):
        raise kind('not the compiler')

    method.prepare = fail
    with pytest.raises(kind, match='not the compiler'):
        steps(method, 1)
    assert method.compiled is not None
    assert all(level == logging.INFO for level, _ in messages)


class Graphs:
    """A backend with the memory of CUDA graphs: what a step's graphs gave is overwritten when the next one begins."""

    def __init__(self):
        self.overwrite, self.given, self.steps = False, [], 0

    def begin_step(self):
        if self.overwrite:
            for tensor in self.given:
                tensor.fill_(torch.nan if tensor.is_floating_point() else 0)
        self.given, self.steps = [], self.steps + 1

    def __call__(self, graph, inputs):
        from torch._dynamo.backends.common import aot_autograd

        return aot_autograd(fw_compiler=self._compile, bw_compiler=self._compile)(graph, inputs)

    def _compile(self, graph, inputs):
        from torch._functorch.aot_autograd import make_boxed_func

        def run(*inputs):
            taken = {tensor.untyped_storage().data_ptr() for tensor in inputs if isinstance(tensor, torch.Tensor)}
            given = graph.forward(*inputs)
            # Other views of the same memory: a tensor that nobody else holds may become a parameter's gradient.
            tensors = [value.detach() for value in given if isinstance(value, torch.Tensor)]
            self.given += [tensor for tensor in tensors if tensor.untyped_storage().data_ptr() not in taken]
            return given

        return make_boxed_func(run)


@pytest.mark.parametrize('name', ['mic_hrda', 'pmdav2', 'proca', 'advseg'])
def test_nothing_that_graphs_gave_outlives_its_step(name, monkeypatch):
    backend, trained, log = Graphs(), [], {}
    monkeypatch.setattr('torch.compiler.cudagraph_mark_step_begin', backend.begin_step)
    for backend.overwrite in (False, True):
        cfg = without_weights(load_config(f'configs/demo/{name}.py').to_dict())
        method, optim_wrapper = build(cfg, 'fp32', torch.device('cpu'))
        method.log_interval = method.panel_interval = 2
        compile_method(method, {'backend': backend})
        side = 128 if 'hrda' in name else 64
        for number in range(3):
            batch = loader_batch((side, side), 2, method.student.num_classes, True, False, seed=number)
            log = method.train_step(batch, optim_wrapper) or log
            assert method.compiled is not None and backend.given
        trained.append({**method.state_dict(), **log, **method.panel})
    assert backend.steps == 6
    kept, overwritten = trained
    for key, value in kept.items():
        torch.testing.assert_close(overwritten[key], value, rtol=0, atol=0, msg=key)


def test_cuda_graphs_need_a_gpu(tmp_path):
    if torch.cuda.is_available():
        pytest.skip('there is one')
    with pytest.raises(ValueError, match='CUDA graphs need a GPU'):
        compile_method(method_for(tmp_path), CUDA_GRAPHS)


def test_mistakes_of_the_user_are_not_blamed_on_the_compiler(tmp_path, messages):
    method = method_for(tmp_path)
    compile_method(method, {'backend': 'eager'})
    data = loader_batch(SIZE, 2, 19, adapts=True, depth=False)
    del data['source']['label']
    with pytest.raises(ValueError, match='have no labels'):
        method.train_step(data, sgd(method))
    assert method.compiled is not None and all(level == logging.INFO for level, _ in messages)


def test_a_moving_crop_compiles_nothing_anew(tmp_path):
    method = method_for(tmp_path, hrda=True)
    compile_method(method, {'backend': 'eager'})
    assert 'model.decode_head.head' in method.compiled.names and 'model.decode_head' not in method.compiled.names
    optim_wrapper, boxes, graphs = sgd(method), set(), []
    draw = method.student.draw_crop_box

    def seen(*arguments):
        box = draw(*arguments)
        boxes.add(tuple(box.tolist()))
        return box

    method.student.draw_crop_box = seen
    for number in range(5):
        method.train_step(loader_batch(SIZE, 2, 19, adapts=True, depth=False, seed=number), optim_wrapper)
        graphs.append(torch._dynamo.utils.counters['stats']['unique_graphs'])
    assert len(boxes) > 3
    assert graphs[0] > 0 and graphs[1:] == graphs[:1] * 4


def test_validation_runs_uncompiled(tmp_path):
    method = method_for(tmp_path)
    CompiledNetworks(method, {'backend': failing_backend})
    with pytest.raises(RuntimeError, match='no compiler'):
        method.student(torch.zeros(1, 3, *SIZE))
    compile_method(method, {'backend': failing_backend})
    method.eval()
    assert method(torch.zeros(1, 3, *SIZE)).shape == (1, 19, *SIZE)


def test_a_run_compiles_the_networks_and_nothing_else(tmp_path):
    runner = toy_runner(tmp_path, compile={'backend': 'eager'})
    runner.train()
    assert 'train_step' not in vars(runner.model), 'mmengine would compile the whole step'
    assert {'model.backbone', 'model.decode_head'} <= set(runner.model.compiled.names)
