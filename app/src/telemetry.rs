//! Log lines: for machines as JSON, for people as text.

use config::service::{App, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts writing log lines to standard output, where the container's log driver reads them.
pub fn start(settings: &App) {
    let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(&settings.log_filter));
    match settings.log_format {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Text => lines.init(),
    }
}
