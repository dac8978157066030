//! The division of histories into sessions.

use std::ops::Range;

use fain_autograd::upload;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Jagged, JaggedLayout, LayerError};

/// How much of a history its sessions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionLimits {
    /// The most sessions of a user, at least 1; the most recent are kept.
    pub sessions: i64,
    /// The most events of a session, at least 1; the most recent are kept.
    pub events: i64,
}

impl Default for SessionLimits {
    /// 5 sessions of 10 events, as in the authors' experiments.
    fn default() -> Self {
        Self { sessions: 5, events: 10 }
    }
}

impl SessionLimits {
    /// # Errors
    /// [`LayerError::Config`] when a limit is not positive.
    pub fn check(&self) -> Result<(), LayerError> {
        for (field, value) in [("sessions", self.sessions), ("events", self.events)] {
            if value < 1 {
                return Err(LayerError::Config { field, value: value.to_string(), allowed: "at least 1" });
            }
        }
        Ok(())
    }
}

/// Histories in two levels: the events of each session, and the sessions of each user.
///
/// The session division layer of DSIN, <https://arxiv.org/abs/1905.06482>. Sessions are in the order of their events,
/// the oldest first. A user without events has no session; a session has at least one event.
#[derive(Debug)]
pub struct Sessions {
    events: JaggedLayout,
    users: JaggedLayout,
    history: JaggedLayout,
    /// `[N]`, int64: which events of the history are kept, where some are not.
    kept: Option<Tensor>,
}

impl Sessions {
    /// Sessions of `limits.events` events each, counted back from the most recent event: a user's last session is full,
    /// the oldest one may be shorter.
    ///
    /// # Errors
    /// Those of [`SessionLimits::check`].
    pub fn every(history: &JaggedLayout, limits: SessionLimits) -> Result<Self, LayerError> {
        limits.check()?;
        Self::divide(history, limits, |user| {
            let full = u32::try_from(limits.events).unwrap_or(u32::MAX);
            let mut starts: Vec<u32> =
                (0..user.len() as u32 / full).map(|session| user.end - (session + 1) * full).collect();
            if !(user.len() as u32).is_multiple_of(full) {
                starts.push(user.start);
            }
            starts.reverse();
            starts
        })
    }

    /// A new session starts where the time since the event before is longer than `gap`; the paper's is 30 minutes.
    ///
    /// # Shapes
    /// - `times` has the `N` events' times, in any unit, never falling within a history; `gap` is in the same unit
    ///
    /// # Errors
    /// [`LayerError::Times`] when their number is not `N` or a time falls; [`LayerError::Config`] when `gap` is negative;
    /// those of [`SessionLimits::check`].
    pub fn by_gap(history: &JaggedLayout, times: &[i64], gap: i64, limits: SessionLimits) -> Result<Self, LayerError> {
        limits.check()?;
        if gap < 0 {
            return Err(LayerError::Config { field: "gap", value: gap.to_string(), allowed: "at least 0" });
        }
        if times.len() as i64 != history.events() {
            let problem = format!("{} times for {} events", times.len(), history.events());
            return Err(LayerError::Times { problem });
        }
        for user in ranges(history) {
            let falls = |&event: &u32| times[event as usize] < times[event as usize - 1];
            if let Some(event) = (user.start + 1..user.end).find(falls) {
                let (time, before) = (times[event as usize], times[event as usize - 1]);
                return Err(LayerError::Times { problem: format!("event {event} has {time} after {before}") });
            }
        }
        // The difference of two times may be too large for i64.
        let starts = |event: u32| times[event as usize].abs_diff(times[event as usize - 1]) > gap.unsigned_abs();
        Self::divide(history, limits, |user| {
            user.clone().filter(|&event| event == user.start || starts(event)).collect()
        })
    }

    /// `starts` gives the first event of each session of a user.
    fn divide(
        history: &JaggedLayout,
        limits: SessionLimits,
        starts: impl Fn(Range<u32>) -> Vec<u32>,
    ) -> Result<Self, LayerError> {
        let (mut events, mut users) = (vec![0], vec![0]);
        let mut kept = Vec::with_capacity(history.events() as usize);
        for user in ranges(history) {
            let starts = starts(user.clone());
            let ends = starts.iter().skip(1).copied().chain([user.end]);
            let dropped = starts.len().saturating_sub(usize::try_from(limits.sessions).unwrap_or(usize::MAX));
            for (&start, end) in starts.iter().zip(ends).skip(dropped) {
                let start = i64::from(start).max(i64::from(end) - limits.events);
                kept.extend(start..i64::from(end));
                events.push(kept.len() as u32);
            }
            users.push(events.len() as u32 - 1);
        }
        let device = history.offsets().device();
        let all = kept.len() as i64 == history.events();
        Ok(Self {
            events: JaggedLayout::nested(&events, device)?,
            users: JaggedLayout::new(&users, device)?,
            history: history.clone(),
            kept: if all { None } else { Some(upload(Tensor::f_from_slice(&kept)?, device)?) },
        })
    }

    /// The events of each session: `S` rows, which may be none.
    pub fn events(&self) -> &JaggedLayout {
        &self.events
    }

    /// The sessions of each user: `B` rows and `S` entries.
    pub fn users(&self) -> &JaggedLayout {
        &self.users
    }

    /// The events that are in a session, by session.
    ///
    /// # Shapes
    /// - `history` jagged `[N, D]` of the layout that was divided → jagged, the events of [`Sessions::events`]
    ///
    /// # Errors
    /// [`LayerError::Offsets`] when the history has other lengths than the layout that was divided.
    pub fn select(&self, history: &Jagged) -> Result<Jagged, LayerError> {
        if history.layout().host_offsets() != self.history.host_offsets() {
            let problem = "the history has other lengths than the one that was divided into sessions".to_owned();
            return Err(LayerError::Offsets { problem });
        }
        let values = match &self.kept {
            None => history.values().shallow_clone(),
            Some(kept) => history.values().f_index_select(0, kept)?,
        };
        Jagged::new(values, self.events.clone())
    }
}

/// The events of each sample.
fn ranges(layout: &JaggedLayout) -> impl Iterator<Item = Range<u32>> {
    layout.host_offsets().windows(2).map(|pair| pair[0]..pair[1])
}
