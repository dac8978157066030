/// Which file an impression belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    Train = 0,
    Test = 1,
}

impl Split {
    pub(crate) const COUNT: usize = 2;
}
