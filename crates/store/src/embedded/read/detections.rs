//! Detections of one class in a stretch of time.

use std::sync::Arc;

use ocelli_model::{BoundingBox, Detection};
use sqlx::{AssertSqlSafe, SqliteConnection, query_as, query_scalar};

use crate::{DetectionQuery, Page, StoredDetection, embedded::failure::Failure};

type Found = (i64, u32, String, f32, f32, f32, f32, f32);

pub(in crate::embedded) async fn detections(
    db: &mut SqliteConnection,
    query: &DetectionQuery,
) -> Result<Page<StoredDetection, (i64, u32)>, Failure> {
    let nothing = Page { rows: Vec::new(), next: None };
    let series = query_scalar("SELECT id FROM series WHERE run = ? AND analyzer = ?");
    let series: Option<i64> =
        series.bind(query.run.0).bind(query.analyzer.0).fetch_optional(&mut *db).await?;
    let Some(series) = series else { return Ok(nothing) };
    let label: Option<i64> = match &query.label {
        Some(name) => {
            let id = query_scalar("SELECT id FROM labels WHERE name = ?").bind(name);
            match id.fetch_optional(&mut *db).await? {
                Some(id) => Some(id),
                None => return Ok(nothing),
            }
        }
        None => None,
    };
    let (after, ordinal) = query.after.map_or((i64::MIN, -1), |(pts, ordinal)| (pts, i64::from(ordinal)));
    let found: Vec<Found> = query_as(AssertSqlSafe(sql(label.is_some())))
        .bind(series)
        .bind(label)
        .bind(query.from.max(after))
        .bind(query.to)
        .bind(after)
        .bind(ordinal)
        .bind(query.confidence)
        .bind(query.limit + 1)
        .fetch_all(db)
        .await?;
    let more = found.len() > query.limit as usize;
    let mut labels = Vec::<Arc<str>>::new();
    let rows: Vec<_> = found
        .into_iter()
        .take(query.limit as usize)
        .map(|(pts, ordinal, label, confidence, x, y, width, height)| {
            let bbox = BoundingBox { x, y, width, height };
            let detection = Detection { label: shared(&mut labels, label), confidence, bbox };
            StoredDetection { pts, ordinal, detection }
        })
        .collect();
    let next = rows.last().filter(|_| more).map(|last| (last.pts, last.ordinal));
    Ok(Page { rows, next })
}

/// Two texts rather than one with a condition, which could use no index. The index of classes holds no numbers of boxes:
/// those are fetched in its order, which is theirs.
fn sql(class: bool) -> String {
    let class = if class { "detections.label = ?2" } else { "?2 IS NULL" };
    format!(
        "SELECT pts, ordinal, name, confidence, x, y, width, height
         FROM detections JOIN labels ON labels.id = detections.label
         WHERE series = ?1 AND {class} AND pts >= ?3 AND pts < ?4
           AND (pts > ?5 OR ordinal > ?6) AND confidence >= ?7
         ORDER BY pts, ordinal LIMIT ?8"
    )
}

/// Few classes, many detections: each name is kept once.
pub(super) fn shared(labels: &mut Vec<Arc<str>>, name: String) -> Arc<str> {
    if let Some(known) = labels.iter().find(|known| ***known == *name) {
        return Arc::clone(known);
    }
    let name: Arc<str> = name.into();
    labels.push(Arc::clone(&name));
    name
}
