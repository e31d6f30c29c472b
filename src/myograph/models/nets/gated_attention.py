"""A network over bags of rows that learns which of them to listen to."""

from __future__ import annotations

from typing import Any

from myograph.core.optional import needs

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module

__all__ = ["GatedAttention"]


class GatedAttention(Module):
    """Rows to inner values, their mean weighted by gated attention, and that to classes (ilse2018).

    Parameters
    ----------
    n_features, n_classes : int
    width, gates : int
        Inner values of a row, and of what weighs it.
    dropout : float
        Share of inner values left out at random while learning.
    hidden : float
        Share of the rows of each bag left out at random while learning.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        width: int,
        gates: int,
        dropout: float,
        hidden: float,
    ) -> None:
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Linear(n_features, width)
        self.bend = nn.Linear(width, gates)
        self.gate = nn.Linear(width, gates)
        self.worth = nn.Linear(gates, 1, bias=False)
        self.say = nn.Linear(width, n_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, bags: Any) -> Any:
        """Return scores, (n_bags, n_classes).

        Takes standardised rows (n_bags, longest, n_features + 1); the last number of a row is 1
        where there is one and 0 where the bag has ended.
        """
        there = bags[..., -1] > 0
        if self.training and self.hidden > 0:
            kept = there & (torch.rand_like(bags[..., -1]) >= self.hidden)
            there = torch.where(kept.any(dim=1, keepdim=True), kept, there)
        inner = self.dropout(torch.tanh(self.embed(bags[..., :-1])))
        weighed = torch.tanh(self.bend(inner)) * torch.sigmoid(self.gate(inner))
        asked = self.worth(weighed)[..., 0].masked_fill(~there, -torch.inf)
        share = torch.softmax(asked, dim=1)
        return self.say((share[..., None] * inner).sum(dim=1))
