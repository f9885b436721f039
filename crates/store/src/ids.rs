//! Surrogate keys: small integers that a backend hands out. They mean nothing outside its store.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

ids! {
    /// Where media came from.
    SourceId,
    /// One unbroken piece of a source.
    RunId,
    /// One analyzer version.
    AnalyzerId,
    /// The results of one analyzer version over one run.
    SeriesId,
    /// The account of one series under one sampling plan.
    LedgerId,
    /// The tracks of one ledger, by one version of the tracker.
    DerivationId,
}
