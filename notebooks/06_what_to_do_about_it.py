# %% [markdown]
# # What to do about it
#
# Pruning hurts the rare classes first. What helps? Here a network for clothes is trained on a long
# tail, pruned, and retrained in nine ways: with cross-entropy, and with eight losses that count
# rare classes for more or bind what a class may lose. Which is best is chosen on validation images,
# and told of test images.

# %%
import tempfile

import xarray as xr

from prune_fair import (
    DataConfig,
    ModelConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
    analysis,
    plots,
    run_study,
)

# %% [markdown]
# ## The task
#
# Fashion-MNIST at 14x14 pixels. The most common class has 250 training images, the rarest two or
# three; validation and test images are as many of each class.

# %%
task = TaskConfig(
    DataConfig("fashion14", imbalance_factor=100),
    ModelConfig("mlp", widths=(64, 32)),
    RecipeConfig(epochs=40, learning_rate=0.05),
)
plain = "magnitude-global-rewind"
losses = ("inverse_frequency", "class_balanced@0.99", "balanced_softmax", "ldam", "focal")
losses += ("class_dro", "distillation", "constrained")
techniques = (plain, *(f"{plain}+{loss}" for loss in losses))
schedule = Schedule("one-shot", sparsities=(0.8, 0.9, 0.95))
config = StudyConfig((task,), techniques, schedule, seeds=6, predictions=True, calibration=True)
results = run_study(config, tempfile.mkdtemp() + "/study")["fashion14/mlp"]
results.train_count.to_pandas().to_frame("training images").T

# %% [markdown]
# ## Side by side
#
# Mean recall over the classes, which is accuracy here, against sparsity. The dense network is the
# same for all: it was trained with cross-entropy.

# %%
plots.frontier(results, "accuracy").figure

# %% [markdown]
# ## Against cross-entropy, at one sparsity
#
# What each loss changes at 90 % sparsity, in points, with 95 % intervals: of accuracy and of the
# recall of the class that is worst off over seeds and test images, of the calibration error (where
# less is better) over seeds. Networks are paired: a seed has one initialisation, one mask and the
# same batches, whatever the loss.

# %%
errors = xr.Dataset({"ece": analysis.network_calibration(results)["ece"]})
table = analysis.against(results, dict.fromkeys(techniques[1:], plain), more=errors).sel(level=2)
table = table.assign_coords(technique=list(losses))
(100 * table.difference).to_series().unstack(["metric", "estimate"]).loc[list(losses)].round(1)

# %%
table.p_holm.to_series().unstack("metric").loc[list(losses)].round(4)

# %% [markdown]
# p by Holm, over all losses and levels of a metric.
#
# ## The choice
#
# Of all that is at least 90 % sparse the most accurate on validation images, and what the test
# images say of it:

# %%
choice = analysis.select(results, ["sparsity>=0.89"], maximise="accuracy")
names = ["sparsity", "accuracy", "mean_recall_change_min"]
chosen = choice.points.isel(point=choice.chosen)
print(chosen.technique.item())
chosen[[name for name in names if name in chosen]].reset_coords(drop=True).to_pandas().round(3)

# %% [markdown]
# **Conclusion.** At 90 % sparsity five of the eight losses are more accurate than the dense
# network: on a long tail they mend more than pruning breaks, since cross-entropy had given up the
# rare classes before anything was pruned. Balanced softmax helps the worst class most, and is
# better calibrated. Constrained retraining helps too, though it knows nothing of how rare a class
# is. Distillation hands on what the dense network believes, its blindness for rare classes
# included. Six seeds and one task are few: `docs/findings.md` has two tasks, two criteria, sixteen
# seeds.
