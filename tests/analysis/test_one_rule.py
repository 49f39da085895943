""" "Every class within 5 points" has one answer, whoever asks."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from prune_fair import InputError, analysis, console, open_example, plots, report
from prune_fair.fairness import EVERY_CLASS
from prune_fair.report.render import as_markdown, escape_markdown
from prune_fair.words.numbers import change, estimate

RULE = f"{EVERY_CLASS}>=-0.05"


def sparsest_by_hand(results, technique: int, tolerance: float = 0.05) -> float:
    """By loops: the sparsest level at which no class's mean recall lost more than 5 points."""
    counts = results["confusion"].values[technique].astype(float)  # seed, level, true, predicted
    best = 0.0
    for level in range(counts.shape[1]):
        worst = np.inf
        for c in range(counts.shape[2]):
            recalls = counts[:, [0, level], c, c] / counts[:, [0, level], c].sum(-1)
            worst = min(worst, (recalls[:, 1] - recalls[:, 0]).mean())
        if worst >= -tolerance - 1e-6:
            best = max(best, results["sparsity"].values[technique, :, level].mean())
    return best


def recalls(rng):
    """Three techniques, eight seeds, five levels, four classes; they fall by points a level."""
    fall = rng.uniform(0, 0.035, (3, 1, 1, 4)) * np.arange(5)[:, None]
    return np.clip(0.9 - fall + rng.normal(0, 0.02, (3, 8, 5, 4)), 0, 1)


@pytest.mark.parametrize("seed", range(10))
def test_price_and_select_are_one_answer(seed, results_of):
    results = results_of(recalls(np.random.default_rng(seed)))
    price = analysis.price_of_accuracy(results).fair_sparsity.sel(estimate="mean")
    by_hand = [sparsest_by_hand(results, technique) for technique in range(3)]
    assert price.values == pytest.approx(by_hand)
    choice = analysis.select(results)
    assert [str(each) for each in choice.rule.constraints] == [RULE]
    chosen = choice.points.sparsity.sel(estimate="mean").values[choice.chosen]
    assert chosen == pytest.approx(max(by_hand))


def test_the_table_the_star_select_and_the_card_agree():
    results = open_example()["digits/mlp"].to_dataset()
    expected = [
        sparsest_by_hand(results, technique) for technique in range(results.sizes["technique"])
    ]
    price = analysis.price_of_accuracy(results).fair_sparsity.sel(estimate="mean").values
    assert price == pytest.approx(expected)
    choice = analysis.select(results)
    at = choice.points.isel(point=choice.chosen)
    assert at.sparsity.sel(estimate="mean").item() == pytest.approx(max(expected))
    card = report.make_card(open_example().attrs["path"]).tasks[0].decision.chosen
    assert (card.technique, card.level) == (at["technique"].item(), at["level"].item())
    star = [
        artist.get_offsets()[0][0]
        for artist in plots.overview(results).axes[0].collections
        if isinstance(artist, PathCollection) and len(artist.get_offsets()) == 1
    ]
    assert min(abs(1 - each - max(expected)) for each in star) < 1e-9


@pytest.mark.parametrize("require", [RULE, "recall_group_min>=0.9", "accuracy>=0.5"])
def test_terminal_and_card_say_the_same(require, capsys):
    """Every sentence of the terminal is the card's, and so is every number of a class."""
    results = open_example()["digits/mlp"].to_dataset()
    choice = analysis.select(results, [require])
    console.print_choice(console.make_console(), "digits/mlp", choice)
    terminal = capsys.readouterr().out.splitlines()
    card = as_markdown(report.make_card(open_example().attrs["path"], [require]))
    sentences = [line for line in terminal if line.endswith(".")]
    assert len(sentences) >= 2
    for line in sentences:
        assert escape_markdown(line.removesuffix(".")) in card  # which may add who pays
    cells = [change(estimate(row)) for row in choice.price.spared] if choice.price else []
    for cell in cells:
        assert cell in "\n".join(terminal)
        assert cell in card


def test_single_networks_are_another_metric(results_of):
    """Each network's own worst class, averaged, is below the worst class of the averages."""
    results = results_of(recalls(np.random.default_rng(0)))
    table = analysis.metrics(results, [EVERY_CLASS, "recall_change_min"]).sel(estimate="mean")
    pruned = table.isel(level=slice(1, None))
    assert (pruned[EVERY_CLASS] > pruned["recall_change_min"]).all()
    with pytest.raises(InputError, match="of all networks together"):
        analysis.network_metrics(results, [EVERY_CLASS])


@pytest.mark.parametrize("objectives", [["sparsity", EVERY_CLASS], [EVERY_CLASS, "accuracy"]])
def test_it_is_an_objective_of_frontiers(objectives, results_of):
    results = results_of(recalls(np.random.default_rng(1)))
    points = analysis.frontier(results, objectives)
    assert points.on_frontier.any()
    assert points.probability.notnull().all()
    assert analysis.hypervolumes(results, objectives).hypervolume.notnull().all()
