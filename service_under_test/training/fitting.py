"""Trains the classifier: one thread, deterministic algorithms, one seed."""

import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from service_under_test.training.network import Classifier

EPOCHS = 12
BATCH_IMAGES = 64
PEAK_LEARNING_RATE = 0.006
_log = logging.getLogger(__name__)


def fit(
    images: NDArray[np.uint8], labels: NDArray[np.int64], class_count: int, seed: int
) -> Classifier:
    """A trained classifier, ready to be exported."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(seed)
    model = Classifier(class_count)
    inputs = torch.from_numpy(images).float().div(255).unsqueeze(1)
    targets = torch.from_numpy(labels)
    steps_per_epoch = len(images) // BATCH_IMAGES
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_LEARNING_RATE, total_steps=EPOCHS * steps_per_epoch
    )
    for epoch in range(EPOCHS):
        mean_loss = _fit_epoch(model, optimizer, schedule, inputs, targets)
        _log.info("epoch %d of %d: mean loss %.4f", epoch + 1, EPOCHS, mean_loss)
    return model.eval()


def _fit_epoch(
    model: Classifier,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    inputs: Tensor,
    targets: Tensor,
) -> float:
    """One pass over the images in a new order; the mean loss of its batches."""
    measure = nn.CrossEntropyLoss()
    losses = []
    order = torch.randperm(len(inputs))
    for first in range(0, len(order) - BATCH_IMAGES + 1, BATCH_IMAGES):
        chosen = order[first : first + BATCH_IMAGES]
        optimizer.zero_grad()
        loss = measure(model(inputs[chosen]), targets[chosen])
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return float(np.mean(losses))
