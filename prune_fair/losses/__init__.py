"""Losses: what training minimises, and what gradients of criteria are taken of.

A loss is a pure function of a batch to one number for each of its images, whose mean is minimised.
"""

from prune_fair.losses.loss import Dense, Labelled, Loss, PerImage, Setting
from prune_fair.losses.rows import LOSSES, called, canonical

__all__ = ["LOSSES", "Dense", "Labelled", "Loss", "PerImage", "Setting", "called", "canonical"]
