//! Which session, which place in it, which unit.

use tch::{Tensor, nn};

use super::{SessionLimits, Sessions};
use crate::error::check_shape;
use crate::places::{distances_from_first, distances_from_last};
use crate::{Jagged, LayerError};

/// Adds to each unit of an event a bias of its session, one of its place in the session, and one of the unit.
///
/// `Q + BE` with `BE_(k,t,c) = w^K_k + w^T_t + w^C_c`, DSIN, eq. (2), <https://arxiv.org/abs/1905.06482>.
/// `k` counts from a user's most recent session, so that it means the same for users with few sessions and with many;
/// `t` counts from the first event of the session. Sessions and events beyond the limits share the last bias.
/// Parameters, all started at 0: `session` `[sessions]`, `position` `[events]`, `unit` `[D]`.
#[derive(Debug)]
pub struct BiasEncoding {
    session: Tensor,
    position: Tensor,
    unit: Tensor,
}

impl BiasEncoding {
    /// Registers the biases for events of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `width` or a limit is not positive; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, limits: SessionLimits) -> Result<Self, LayerError> {
        limits.check()?;
        if width < 1 {
            return Err(LayerError::Config { field: "width", value: width.to_string(), allowed: "at least 1" });
        }
        let zeros = |name: &str, size: i64| variables.f_var(name, &[size], nn::Init::Const(0.0));
        Ok(Self {
            session: zeros("session", limits.sessions)?,
            position: zeros("position", limits.events)?,
            unit: zeros("unit", width)?,
        })
    }

    /// # Shapes
    /// - `events` jagged `[N, D]` as [`Sessions::select`] gives them → jagged `[N, D]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width or the number of events differs.
    pub fn forward(&self, events: &Jagged, sessions: &Sessions) -> Result<Jagged, LayerError> {
        let layout = sessions.events();
        check_shape("events", events.values(), &[Some(layout.events()), Some(self.unit.size()[0])], "[N, D]")?;
        let ages = distances_from_last(sessions.users())?.f_clamp_max(self.session.size()[0] - 1)?;
        let places = distances_from_first(layout)?.f_clamp_max(self.position.size()[0] - 1)?;
        let of_session = layout.expand(&self.session.f_index_select(0, &ages)?)?;
        let of_event = of_session.f_add(&self.position.f_index_select(0, &places)?)?;
        let encoding = of_event.f_unsqueeze(1)?.f_add(&self.unit)?;
        Jagged::new(events.values().f_add(&encoding)?, layout.clone())
    }
}
