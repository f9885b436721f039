//! Logs: one line for each event on standard error, for people or as JSON.
//!
//! A line carries the fields of all spans around the event: within a span with the field `stream`, every line names its
//! stream. Secrets have types that do not show them; [`redact::Redactor`] masks what slips through all the same, such as
//! the words of a foreign library. Lines are bounded, and hold no control character that the event brought along.

mod fields;
mod line;
mod redact;

use std::io::{self, IsTerminal as _, Write as _};

use tracing::{Event, Subscriber, span};
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{
        MakeWriter,
        time::{FormatTime, SystemTime},
    },
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use self::{
    fields::Fields,
    line::{Line, Style},
    redact::Redactor,
};
use crate::config::words::LogFormat;

/// What commands log unless told: what goes wrong.
const COMMANDS: &str = "warn";

/// Logs of a command: warnings and worse unless `OCELLI_LOG` says otherwise.
pub(crate) fn start_for_commands() {
    let filter = std::env::var("OCELLI_LOG").ok().filter(|text| EnvFilter::builder().parse(text).is_ok());
    start(LogFormat::Text, filter.as_deref().unwrap_or(COMMANDS));
}

/// Logs from now on, for the whole process; once. A filter that cannot be read says so in the log and is as if it were
/// not given: the configuration has judged it before.
pub(crate) fn start(format: LogFormat, filter: &str) {
    let (filter, problem) = match EnvFilter::builder().parse(filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(COMMANDS), Some(error)),
    };
    let style = match format {
        LogFormat::Text if io::stderr().is_terminal() => Style::Coloured,
        LogFormat::Text => Style::Plain,
        LogFormat::Json => Style::Json,
    };
    if style == Style::Json {
        // A panic's words are a line like any other.
        std::panic::set_hook(Box::new(|panic| tracing::error!(target: "ocelli", "{panic}")));
    }
    let lines = Lines { style, redactor: Redactor::new(), time: SystemTime, out: io::stderr };
    tracing_subscriber::registry().with(filter).with(lines).init();
    if let Some(error) = problem {
        tracing::warn!("the log filter cannot be used: {error}");
    }
}

/// Writes each event as a line to `out`, with one call, so that lines of threads do not mix.
#[derive(Debug)]
struct Lines<T, W> {
    style: Style,
    redactor: Redactor,
    time: T,
    out: W,
}

impl<S, T, W> Layer<S> for Lines<T, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    T: FormatTime + 'static,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::new(&self.redactor);
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields.finish());
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new(&self.redactor);
        values.record(&mut fields);
        let Some(span) = context.span(id) else { return };
        if let Some(known) = span.extensions_mut().get_mut::<fields::Finished>() {
            known.extend(fields.finish());
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Line::new(event.metadata(), &self.time);
        for span in
            context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(known) = span.extensions().get::<fields::Finished>() {
                line.add(known);
            }
        }
        let mut fields = Fields::new(&self.redactor);
        event.record(&mut fields);
        line.add(&fields.finish());
        // Nobody is left to tell when the log is gone.
        self.out.make_writer_for(event.metadata()).write_all(line.written(self.style).as_bytes()).ok();
    }
}

#[cfg(test)]
mod tests;
