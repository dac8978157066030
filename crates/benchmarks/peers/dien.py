"""DIEN as a plain PyTorch program: packed sequences, torch.nn.GRU, and AUGRU as a loop over time in Python.

Deep Interest Evolution Network, https://arxiv.org/abs/1809.03672: extractor GRU, attention network over
[candidate, state, difference, product] with softmax, AUGRU, auxiliary network. The sizes are those of a published notebook:
attention 16-8 with batch normalisation and Dice, network 32-16 with PReLU, auxiliary network 100-50.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


class Dice(nn.Module):
    """p·x + (1 − p)·α·x with p = σ(batch normalisation of x)."""

    def __init__(self, width):
        super().__init__()
        self.normalization = nn.BatchNorm1d(width, eps=1e-8)
        self.alpha = nn.Parameter(torch.zeros(width))

    def forward(self, inputs):
        gate = torch.sigmoid(self.normalization(inputs))
        return inputs * (gate + (1 - gate) * self.alpha)


def network(widths, activation, normalization=False):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers.append(nn.Linear(inputs, outputs))
        if normalization:
            layers.append(nn.BatchNorm1d(outputs))
        layers.append(activation(outputs))
    layers.append(nn.Linear(widths[-1], 1))
    return nn.Sequential(*layers)


class Augru(nn.Module):
    """A GRU whose update gate is multiplied by each event's score, over packed events; gives the last states."""

    def __init__(self, inputs, hidden):
        super().__init__()
        self.hidden = hidden
        self.input = nn.Linear(inputs, 3 * hidden)
        self.state = nn.Linear(hidden, 3 * hidden)

    def forward(self, events, counts, scores):
        """events [N, D] and scores [N, 1] in packed order; counts: samples at each time, falling."""
        gates = self.input(events)
        state = events.new_zeros(counts[0], self.hidden)
        ended, start = [], 0
        for count in counts:
            if count < len(state):
                ended.append(state[count:])
                state = state[:count]
            gate, score = gates[start : start + count], scores[start : start + count]
            start += count
            own = self.state(state)
            reset, update = torch.sigmoid(gate[:, : 2 * self.hidden] + own[:, : 2 * self.hidden]).chunk(2, 1)
            new = torch.tanh(gate[:, 2 * self.hidden :] + reset * own[:, 2 * self.hidden :])
            update = score * update
            state = (1 - update) * state + update * new
        ended.append(state)
        return torch.cat(ended[::-1])


class Dien(nn.Module):
    def __init__(self, sizes, width=16, auxiliary_weight=0.2):
        super().__init__()
        self.tables = nn.ModuleDict({name: nn.Embedding(rows, width) for name, rows in sizes.items()})
        for table in self.tables.values():
            nn.init.normal_(table.weight, std=0.01)
        self.extractor = nn.GRU(width, width, batch_first=True)
        self.attention = network([4 * width, 16, 8], Dice, normalization=True)
        self.evolution = Augru(width, width)
        self.auxiliary = network([2 * width, 100, 50], lambda _: nn.Sigmoid())
        self.head = network([(len(sizes) + 1) * width, 32, 16], lambda _: nn.PReLU(), normalization=True)
        self.auxiliary_weight = auxiliary_weight

    def forward(self, batch):
        """Logits [B], and in training the auxiliary loss."""
        features = [table(batch[name]) for name, table in self.tables.items()]
        candidate = self.tables["item"](batch["item"])
        interest = candidate.new_zeros(candidate.shape)
        loss = 0.0
        read = batch["lengths"] > 0
        if read.any():
            lengths = batch["lengths"][read]
            history = self.tables["item"](batch["history"][read])
            # PyTorch wants these lengths on the host.
            packed = pack_padded_sequence(history, lengths.cpu(), batch_first=True, enforce_sorted=False)
            states, _ = self.extractor(packed)
            if self.training:
                loss = self.auxiliary_weight * self.auxiliary_loss(states, history, batch["negatives"][read], lengths)
            interest = interest.index_put((read.nonzero(as_tuple=True)[0],), self.evolve(states, candidate[read]))
        return self.head(torch.cat([*features, interest], 1)).squeeze(1), loss

    def auxiliary_loss(self, states, history, negatives, lengths):
        states, _ = pad_packed_sequence(states, batch_first=True)
        longest = states.shape[1]
        follows = torch.arange(1, longest, device=lengths.device) < lengths[:, None]
        states = states[:, :-1][follows]
        if not len(states):
            return states.sum()
        logits = []
        for events in [history, self.tables["item"](negatives)]:
            logits.append(self.auxiliary(torch.cat([states, events[:, 1:longest][follows]], 1)))
        happened = torch.cat([torch.ones_like(logits[0]), torch.zeros_like(logits[1])])
        return functional.binary_cross_entropy_with_logits(torch.cat(logits), happened)

    def evolve(self, states, candidate):
        """The last state of each sample, in the samples' order."""
        counts = states.batch_sizes.tolist()
        ordered = candidate[states.sorted_indices]
        queries = torch.cat([ordered[:count] for count in counts])
        events = states.data
        scores = self.attention(torch.cat([queries, events, queries - events, queries * events], 1))
        scores = PackedSequence(scores / events.shape[1] ** 0.5, states.batch_sizes)
        padded, lengths = pad_packed_sequence(scores, batch_first=True, padding_value=float("-inf"))
        weights = pack_padded_sequence(padded.softmax(1), lengths, batch_first=True).data
        return self.evolution(events, counts, weights)[states.unsorted_indices]
