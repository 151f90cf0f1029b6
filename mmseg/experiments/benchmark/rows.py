"""What a benchmark consists of: rows, and differences between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmseg.engine.errors import near_names

GROUPS = {
    'baseline': 'Baselines',
    'network': 'Baselines of other networks',
    'method': 'Methods',
    'combination': 'Combinations that no original offers',
    'control': 'Controls',
}
STAGES = '_stages'


@dataclass(frozen=True)
class Row:
    """One line of a benchmark: a training, or the trainings of a chain of stages.

    Attributes:
        name: of its folders and files.
        title: in tables.
        config: in the benchmark's folder of configs, without ``.py``; ``*_stages`` lists the stages of a chain.
        group: one of ``GROUPS``.
        extends: the row that it adds something to.
        network: whose source-only training and oracle it is compared with.
        options: config values by the training stage whose they are.
        teacher: its method has a teacher that can be tested too.
        adapt_bn: it is tested with adapted batch norm too (AdaBN).
        bank: it needs a bank of source crops, and its depth guidance follows the length of the training (CDDA).
        length: how many budgets it takes.
    """

    name: str
    title: str
    config: str
    group: str = 'method'
    extends: str = ''
    network: str = 'daformer'
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    teacher: bool = False
    adapt_bn: bool = False
    bank: bool = False
    length: int = 1

    @property
    def is_chain(self) -> bool:
        """Whether it trains several times."""
        return self.config.endswith(STAGES)

    @property
    def shown(self) -> bool:
        """Whether it stands in the table of classes and in the sheet of pictures: all but the controls."""
        return self.group != 'control'


@dataclass(frozen=True)
class Comparison:
    """A difference between tests of two rows, seed by seed.

    Attributes:
        title: in the table.
        row: that is judged.
        base: that it is compared with; the row itself for comparisons within a chain.
        test: stage of ``row``; empty = that of its last student.
        base_tests: stages of ``base``, of which the best counts; empty = that of its last student.
    """

    title: str
    row: str
    base: str
    test: str = ''
    base_tests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Benchmark:
    """Rows on one pair of domains.

    Attributes:
        name: its id.
        title: in figures.
        configs: folder of its rows' configs.
        data: folder that must be there.
        data_advice: where the data comes from.
        budgets: optimizer steps of a row, by preset.
        adapt_bn: config whose target images AdaBN takes its statistics of.
        ends: for each network, its augmented source-only training and its oracle: none and all of the gap.
        rows: in the order of the tables.
        comparisons: likewise.
        pictures: whether records keep test images and predictions; not if the images are not ours to give away.
    """

    name: str
    title: str
    configs: str
    data: str
    data_advice: str
    budgets: Mapping[str, int]
    adapt_bn: str
    ends: Mapping[str, tuple[str, str]]
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    pictures: bool = True

    def row(self, name: str) -> Row:
        """The row of a name.

        Raises:
            ValueError: there is none.
        """
        for row in self.rows:
            if row.name == name:
                return row
        names = [row.name for row in self.rows]
        raise ValueError(f'{self.name} has no row {name}{near_names(name, names)}; rows: {", ".join(names)}')

    def config_file(self, name: str) -> str:
        """The path of a config of its folder."""
        return f'{self.configs}/{name}.py'
