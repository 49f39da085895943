"""What is written in PyTorch: one network after the other, and stacked by `torch.func`."""

import math
import time
from collections.abc import Callable
from itertools import pairwise

import torch  # pyright: ignore[reportMissingImports]
import torch.nn.functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]
from jax_peers import Round
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn.utils import prune  # pyright: ignore[reportMissingImports]
from workloads import SPARSITY, Workload, normalised

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def sequential(workload: Workload) -> Round:
    """`torch.nn.utils.prune.global_unstructured`, one network at a time, all threads."""
    images, labels = tensors(workload)
    recipe = workload.task.recipe

    def run() -> int:
        module = network(workload).to(DEVICE)
        layers = [(layer, "weight") for layer in module if hasattr(layer, "weight")]
        prune.global_unstructured(layers, pruning_method=prune.L1Unstructured, amount=SPARSITY)
        optimizer = torch.optim.SGD(
            module.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, workload.steps)
        for rows in batches(workload):
            optimizer.zero_grad()
            F.cross_entropy(module(images[rows]), labels[rows]).backward()
            optimizer.step()
            schedule.step()
        synchronise()
        return workload.steps

    return run


def one_thread(workload: Workload) -> Round:
    """The same on one thread; a process for each core runs it at the same time."""
    torch.set_num_threads(1)
    return sequential(workload)


def stacked(workload: Workload) -> Round:
    """`torch.func.vmap` over stacked networks, as many as go fastest."""
    candidates = {count: stack(workload, count) for count in workload.stacked}

    def rate(run: Callable[..., int]) -> float:
        run(3)
        started = time.perf_counter()
        return run(10) / (time.perf_counter() - started)

    return max(candidates.values(), key=rate)


def stack(workload: Workload, count: int) -> Callable[..., int]:
    """A round of so many stacked networks, of all steps or of the first few."""
    images, labels = tensors(workload)
    base, recipe = network(workload).to("meta"), workload.task.recipe
    stacked, _ = torch.func.stack_module_state([network(workload) for _ in range(count)])
    start = {name: leaf.detach().to(DEVICE) for name, leaf in stacked.items()}
    weights = [name for name in start if name.endswith("weight")]
    scores = torch.cat([start[name].abs().flatten(1) for name in weights], dim=1)
    threshold = scores.quantile(SPARSITY, dim=1)
    mask = {name: torch.ones_like(leaf) for name, leaf in start.items()}
    for name in weights:
        bound = threshold.view(-1, *[1] * (start[name].ndim - 1))
        mask[name] = (start[name].abs() >= bound).float()

    def loss(params, mask, batch, targets):
        masked = {name: leaf * mask[name] for name, leaf in params.items()}
        return F.cross_entropy(torch.func.functional_call(base, masked, (batch,)), targets)

    gradients = torch.func.vmap(torch.func.grad(loss))

    def run(steps: int = workload.steps) -> int:
        params = {name: leaf.clone() for name, leaf in start.items()}
        momentum = {name: torch.zeros_like(leaf) for name, leaf in start.items()}
        for step, rows in enumerate(zip(*(batches(workload) for _ in range(count)), strict=True)):
            if step == steps:
                break
            chosen = torch.stack(rows)
            rate = recipe.learning_rate * (1 + math.cos(math.pi * step / workload.steps)) / 2
            slopes = gradients(params, mask, images[chosen], labels[chosen])
            for name, leaf in params.items():
                momentum[name].mul_(recipe.momentum).add_(slopes[name])
                leaf.sub_(momentum[name], alpha=rate)
        synchronise()
        return count * steps

    return run


def batches(workload: Workload):
    """Rows of every step: each epoch a fresh order, cut into whole batches."""
    for _ in range(workload.task.recipe.epochs):
        yield from torch.randperm(workload.images, device=DEVICE).view(-1, workload.batch_size)


def tensors(workload: Workload):
    """Images and labels on the device, channels first."""
    images, labels = (torch.from_numpy(array).to(DEVICE) for array in normalised(workload.load()))
    return images.permute(0, 3, 1, 2).contiguous(), labels


def network(workload: Workload):
    """The workload's architecture."""
    if workload.model.name == "lenet5":
        return nn.Sequential(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
        )
    widths = (28 * 28, 300, 100) if not workload.model.widths else (64, *workload.model.widths)
    layers = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 10))


def synchronise() -> None:
    """Waits until an accelerator has finished."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def matmul_peak() -> Round:
    """A product of two matrices of 1,024 by 1,024 numbers; the figure is in operations."""
    matrix = torch.ones((1024, 1024), device=DEVICE)

    def run() -> int:
        for _ in range(20):
            torch.mm(matrix, matrix)
        synchronise()
        return 20 * 2 * 1024**3

    return run
