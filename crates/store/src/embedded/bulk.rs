//! Many rows in few statements.

use std::{collections::HashMap, sync::Arc};

use sqlx::{
    Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type, query_with,
    sqlite::SqliteArguments,
};

/// Rows per statement, most first: few distinct statements, so that each is prepared once.
const SIZES: [usize; 4] = [128, 32, 8, 1];

/// One kind of row: `head` up to `VALUES`, what follows them, how many values a row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Insert {
    pub(super) head: &'static str,
    pub(super) tail: &'static str,
    pub(super) columns: usize,
}

impl Insert {
    fn sql(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(", "));
        format!("{} VALUES {} {}", self.head, vec![row.as_str(); rows].join(", "), self.tail)
    }
}

/// The texts of statements.
#[derive(Debug, Default)]
pub(super) struct Statements {
    texts: HashMap<(Insert, usize), Arc<str>>,
}

impl Statements {
    /// Writes `rows`; `bind` gives the values of one.
    pub(super) async fn insert<T>(
        &mut self,
        db: &mut SqliteConnection,
        insert: Insert,
        rows: &[T],
        bind: impl Fn(&T, &mut Values),
    ) -> sqlx::Result<()> {
        let mut rows = rows;
        while !rows.is_empty() {
            let size = SIZES.into_iter().find(|size| *size <= rows.len()).unwrap_or(1);
            let (now, later) = rows.split_at(size);
            rows = later;
            let mut values = Values::new(size * insert.columns);
            for row in now {
                bind(row, &mut values);
            }
            let text = self.texts.entry((insert, size)).or_insert_with(|| insert.sql(size).into());
            query_with(AssertSqlSafe(Arc::clone(text)), values.arguments).execute(&mut *db).await?;
        }
        Ok(())
    }
}

/// Values of rows, in the order of their columns.
pub(super) struct Values {
    arguments: SqliteArguments,
}

impl Values {
    fn new(count: usize) -> Self {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(count, 0);
        Self { arguments }
    }

    /// The next value.
    pub(super) fn add<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        self.arguments.add(value).expect("integers, numbers and texts always encode");
        self
    }
}
