//! What every backend does alike. `suite!` runs all of it for one.

pub(crate) mod entries;

/// A test for each case.
macro_rules! suite {
    ($name:ident, $backend:ty) => {
        $crate::conformance::suite!(@cases $name, $backend,
            entries: [due_is_counted_once, an_analysis_reads_back]);
    };
    (@cases $name:ident, $backend:ty, $($module:ident: [$($case:ident),*]);*) => {
        mod $name {
            $(mod $module { $(
                #[tokio::test]
                async fn $case() {
                    let backend = <$backend as $crate::backend::Backend>::new();
                    $crate::conformance::$module::$case(&backend).await;
                }
            )* })*
        }
    };
}
pub(crate) use suite;
