//! Everything about a shop that is not a user.

use crate::catalogue::Catalogue;
use crate::config::Plan;
use crate::relevance::Relevance;
use crate::taste::Tastes;

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) catalogue: Catalogue,
    pub(crate) tastes: Tastes,
    pub(crate) relevance: Relevance,
}

impl World {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            plan: plan.clone(),
            catalogue: Catalogue::new(plan),
            tastes: Tastes::new(plan),
            relevance: Relevance::new(&plan.relevance, plan.history_length),
        }
    }
}
