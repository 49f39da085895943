# %% [markdown]
# # Audit your network
#
# You have one trained network and want to ship it smaller. This notebook trains a small Flax network
# as you would, hands it over as a function and its numbers, and asks how far it may be pruned.

# %%
import tempfile
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import optax

import prune_fair
from prune_fair import DataConfig, analysis, auditing, plots, report

# %% [markdown]
# ## A network of your own
#
# Digits, with few images of classes 3 and 8, and an ordinary training loop. Nothing of prune_fair is
# in it but the images. Your own do as well: a dictionary of arrays `x_train`, `y_train`, `x_test`,
# `y_test` in place of `data`.

# %%
data = DataConfig("digits", keep={"3": 0.35, "8": 0.2})
images, labels, test_images, test_labels = data.load()[:4]
images, test_images = images / np.float32(255), test_images / np.float32(255)
flatten = lambda x: x.reshape(len(x), -1)
layers = [nn.Conv(16, (3, 3)), nn.relu, flatten, nn.Dense(64), nn.relu, nn.Dense(10)]
module = nn.Sequential(layers)
apply = lambda variables, images: module.apply(variables, images)

# %%
entropy = optax.softmax_cross_entropy_with_integer_labels
loss = lambda variables, x, y: entropy(apply(variables, x), y).mean()
optimizer, rng = optax.adam(1e-3), np.random.default_rng(0)
gradient, update = jax.jit(jax.grad(loss)), jax.jit(optimizer.update)
variables = module.init(jax.random.key(0), images[:1])
state = optimizer.init(variables)
for batch in rng.integers(len(images), size=(800, 64)):
    updates, state = update(gradient(variables, images[batch], labels[batch]), state)
    variables = optax.apply_updates(variables, updates)
right = apply(variables, test_images).argmax(axis=1) == test_labels
f"{100 * right.mean():.1f} % of {len(right)} test images, {right[test_labels == 8].sum()} of 52 eights"

# %% [markdown]
# ## The audit
#
# `audit` prunes the network with three methods to ten sparsities, without training it on, and counts
# what each pruned network does to each class. The list holds one network; more checkpoints of the same
# architecture would be more seeds.

# %%
folder = Path(tempfile.mkdtemp())
results = prune_fair.audit(apply, [variables], data, folder / "audit")["digits/network"]
uncertainty = analysis.uncertainty(results)
print(uncertainty.covers, uncertainty.leaves_out, sep="\n")

# %% [markdown]
# ## Two choices
#
# No class may lose more than 5 points of recall. The first choice asks that of what was measured; the
# second asks it of the whole 95 % interval.

# %%
measured = analysis.select(results, ["recall_change_min>=-0.05"])
sure = analysis.select(results, ["recall_change_min>=-0.05"], confidence=0.95)
plots.frontier(results, chosen=sure).figure

# %%
names = ["method", "sparsity", "accuracy", "recall_change_min"]
both = sure.points.isel(point=[measured.chosen, sure.chosen])
both = both.assign_coords(point=["as measured", "surely"])[names]
both.sel(estimate=["low", "mean"]).drop_vars("resampled").to_dataframe().drop(
    columns="level"
).round(3)

# %%
(100 * measured.price.chosen).to_pandas().round(1)

# %% [markdown]
# ## The card, and the network to ship

# %%
card = report.write_card(folder / "audit", confidence=0.95)
chosen = sure.points.isel(point=sure.chosen)
method, level = chosen.method.item(), chosen.level.item()
architecture = auditing.prepare(apply, [variables], data)[1]
exported = auditing.export(folder / "audit", method, level, folder / "network", architecture)
[card.html.name, card.markdown.name, *(path.name for path in exported)]

# %% [markdown]
# **Conclusion.**
