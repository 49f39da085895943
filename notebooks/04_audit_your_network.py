# %% [markdown]
# # Audit your network
#
# You have one trained network and want to ship it smaller. This notebook trains a small Flax
# network as you would, hands it over as a function and its numbers, and asks how far it may be
# pruned.

# %%
import tempfile
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import optax
from orbax.checkpoint import StandardCheckpointer

import prune_fair
from prune_fair import DataConfig, analysis, auditing, plots, report

# %% [markdown]
# ## A network of your own
#
# Digits, with few images of classes 3 and 8, and an ordinary training loop. Nothing of prune_fair
# is in it but the images. Your own do as well: a dictionary of arrays `x_train`, `y_train`,
# `x_test`, `y_test` in place of `data`.

# %%
data = DataConfig("digits", keep={"3": 0.35, "8": 0.2}, validation=0.0)
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
gradient, update, add = map(jax.jit, (jax.grad(loss), optimizer.update, optax.apply_updates))
variables = module.init(jax.random.key(0), images[:1])
state = optimizer.init(variables)
for batch in rng.integers(len(images), size=(800, 64)):
    updates, state = update(gradient(variables, images[batch], labels[batch]), state)
    variables = add(variables, updates)
right = apply(variables, test_images).argmax(axis=1) == test_labels
eights = right[test_labels == 8]
f"{100 * right.mean():.1f} % of {len(right)} test images, {eights.sum()} of {len(eights)} eights"

# %% [markdown]
# ## The audit
#
# `audit` prunes the network with three techniques to ten sparsities, without training it on, and
# counts what each pruned network does to each class. The list holds one network; more checkpoints
# of the same architecture would be more seeds.

# %%
folder = Path(tempfile.mkdtemp())
results = prune_fair.audit(apply, [variables], data, folder / "audit")["digits/network"]
uncertainty = analysis.uncertainty(results)
print(uncertainty.covers, uncertainty.leaves_out, sep="\n")

# %% [markdown]
# ## Two choices
#
# No class may lose more than 5 points of recall: the first choice asks that of what was measured.
# The second has it certified: a bound over test images has to hold, at 95 % for all techniques,
# points and classes together. With three techniques that takes 80 images of a class, none of them
# lost, and these have 52 to 55. So the second choice asks for 10 points.

# %%
measured = analysis.select(results, ["mean_recall_change_min>=-0.05"])
rule = ["mean_recall_change_min>=-0.1"]
certified = analysis.select(results, rule, certify=True)
plots.frontier(results, chosen=certified).figure

# %%
both = certified.points.isel(point=[measured.chosen, certified.chosen])
columns = both[["sparsity", "accuracy", "mean_recall_change_min"]].reset_coords(drop=True)
table = (100 * columns).to_dataframe().unstack("estimate").round(1)
table.set_index([["5, as measured", "10, certified"], both.technique.values])

# %% [markdown]
# What the first choice does to each class, in points, with intervals over images; and what that
# rule gives on images that had no part in the choice, by choosing on four fifths and reporting on
# the last, five times (cross-fitting).

# %%
crossed = analysis.cross_fit(results, ["mean_recall_change_min>=-0.05"]).reported
sparsity, lost = 100 * crossed.sparsity, 100 * crossed.mean_recall_change_min
print(f"cross-fitted: mean sparsity {sparsity[0]:.1f} %, the class that pays most", end=" ")
print("{:.1f} [{:.1f}, {:.1f}] points".format(*lost.values))
(100 * measured.price.chosen).to_pandas().round(1)

# %% [markdown]
# As measured, class 8 loses 3.8 points of recall at sparsity 0.85: on balance 2 images of the 52 it
# has in the test set. The interval goes from a loss of 15.5 points to a gain of 7.7; that of the
# class that pays most, whichever it is, from a loss of 20.7 to a gain of 9.2. Cross-fitting changes
# little here: most folds choose the same point. So few images cannot promise what was asked. They
# can promise 10 points, at sparsity 0.3, where no class loses on balance. Its interval still
# reaches to a loss of 13.3: it has two sides and holds for all classes together, and a promise asks
# for one side.
#
# ## The card, and the network to ship
#
# The card is one HTML page, and the same as Markdown, for who decides. The pruned network goes into
# a checkpoint, with its mask, as the tree that was handed over.

# %%
card = report.write_card(folder / "audit", require=rule, certify=True)
chosen = certified.points.isel(point=certified.chosen)
technique, level = chosen.technique.item(), chosen.level.item()
auditing.export(folder / "audit", technique, level, folder / "network", apply, variables)
print(*card.markdown.read_text().splitlines()[:11], sep="\n")

shipped = StandardCheckpointer().restore(folder / "network")
kernel = shipped["variables"]["params"]["layers_3"]["kernel"]
right = apply(shipped["variables"], test_images).argmax(axis=1) == test_labels
f"{100 * right.mean():.1f} %, with {100 * (kernel == 0).mean():.1f} % of the largest layer at zero"

# %% [markdown]
# **Conclusion.** As measured, magnitude-global-none could go to sparsity 0.85 with no class losing
# more than 5 points. One network and about 54 test images a class do not carry that: no pruned
# point is certified for 5 points, and for 10 only saliency-global-none at sparsity 0.3. To ship a
# sparser network with a promise, bring more test images, at least 80 of every class, or a `recipe`,
# so that pruned networks are trained on. What another training run would lose, no single network
# can tell.
