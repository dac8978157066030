//! Which recurrence is computed.

/// A recurrent cell. `σ` is the sigmoid, `∘` the product of elements, `x` the event's vector, `h` the state before the
/// event, `h'` the state after it, `a` the event's attention score.
///
/// All cells share the candidate state `n = tanh(W_n x + b_n + r ∘ (U_n h + c_n))` with the reset gate
/// `r = σ(W_r x + b_r + U_r h + c_r)`, as PyTorch's GRU has it. `W`, `b` are the input's weight and bias, `U`, `c` the
/// hidden state's; the gates lie stacked in them, `H` rows each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Gated recurrent unit, stack (r, z, n): `z = σ(W_z x + b_z + U_z h + c_z)`, `h' = (1 − z) ∘ n + z ∘ h`.
    Gru,
    /// GRU whose update gate is the attention score, stack (r, n): `h' = (1 − a) h + a n`. Deep Interest Evolution
    /// Network, section "Interest Evolving Layer", <https://arxiv.org/abs/1809.03672>.
    Agru,
    /// GRU whose update gate is scaled by the attention score, stack (u, r, n): `u = σ(W_u x + b_u + U_u h + c_u)`.
    /// How `u` and `a` make `h'` is where the paper and its authors' code differ.
    Augru(AugruGate),
}

/// How AUGRU uses the attention score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AugruGate {
    /// As in the paper: `u' = a u`, `h' = (1 − u') ∘ h + u' ∘ n`.
    Paper,
    /// As in the authors' code: `u' = (1 − a) u`, `h' = u' ∘ h + (1 − u') ∘ n`.
    Official,
}

impl Cell {
    /// Number of gates stacked in the weights and biases, the candidate counted as one.
    pub fn gates(self) -> usize {
        match self {
            Self::Agru => 2,
            Self::Gru | Self::Augru(_) => 3,
        }
    }

    /// Numbers saved for the backward pass per event and hidden unit: the gates, and the hidden part of the candidate.
    pub fn saved_per_unit(self) -> usize {
        self.gates() + 1
    }

    /// Width of the buffer `saved`, whose shape is `[N, saved_width]`.
    pub fn saved_width(self, hidden: usize) -> usize {
        self.saved_per_unit().saturating_mul(hidden)
    }

    /// Whether the cell reads an attention score per event.
    pub fn takes_scores(self) -> bool {
        !matches!(self, Self::Gru)
    }

    /// Where a gate stands in the stack of weights and biases.
    pub(crate) fn position(self, gate: Gate) -> usize {
        let first = if matches!(self, Self::Augru(_)) { Gate::Update } else { Gate::Reset };
        match gate {
            Gate::Candidate => self.gates() - 1,
            gate => usize::from(gate != first),
        }
    }

    /// The gates in the order in which the kernels have them: the candidate last, for its half that comes from the
    /// state.
    pub(crate) fn state_order(self) -> &'static [Gate] {
        match self {
            Self::Agru => &[Gate::Reset, Gate::Candidate],
            Self::Gru | Self::Augru(_) => &[Gate::Reset, Gate::Update, Gate::Candidate],
        }
    }

    /// The same with the candidate first, for its half that comes from the input. In the gradients of the gates both
    /// halves stand around the other gates, which they share.
    pub(crate) fn input_order(self) -> &'static [Gate] {
        match self {
            Self::Agru => &[Gate::Candidate, Gate::Reset],
            Self::Gru | Self::Augru(_) => &[Gate::Candidate, Gate::Reset, Gate::Update],
        }
    }
}

/// One matrix of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Reset,
    Update,
    Candidate,
}
