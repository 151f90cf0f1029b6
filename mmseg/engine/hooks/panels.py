"""Pictures of what a training step sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.hooks import Hook

from mmseg.engine.gradient_sync import rank
from mmseg.registry import HOOKS

IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])


@HOOKS.register_module()
class PanelHook(Hook):
    """Draws the tensors that a method leaves in its ``panel`` to ``work_dir/panels/iter_000001.png``.

    A drawn picture goes to the hook point ``after_panel(runner, picture, iteration)`` too.

    Args:
        interval: every so many iterations, and at the first one; 0 = never.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000) -> None:
        self.interval = interval

    def before_train(self, runner: Any) -> None:
        runner.model.panel_interval = self.interval if rank() == 0 else 0

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        panel = getattr(runner.model, 'panel', None)
        if not panel:
            return
        runner.model.panel = {}
        palette = runner.dataset_meta.get('palette')
        if palette is None:
            raise ValueError(
                'default_hooks.panels: the dataset has no palette to draw with; give it one or set panels=None'
            )
        with runner.train_loop.clock.paused():
            self._write(runner, panel, palette, Path(runner.work_dir) / 'panels' / f'iter_{batch_idx + 1:06d}.png')

    def _write(self, runner: Any, panel: dict[str, Any], palette: Any, path: Path) -> None:
        from mmseg.visualization import save_png, training_panel

        preprocessor = getattr(runner.model, 'data_preprocessor', None)
        mean, std = (
            getattr(preprocessor, name).flatten().tolist() if hasattr(preprocessor, name) else default
            for name, default in zip(('mean', 'std'), IMAGENET, strict=True)
        )
        classes = runner.dataset_meta.get('classes')
        iteration = int(path.stem[5:])
        picture = training_panel(panel, mean, std, palette, classes, title=f'iteration {iteration}')
        save_png(picture, path)
        runner.call_hook('after_panel', picture=picture, iteration=iteration)
