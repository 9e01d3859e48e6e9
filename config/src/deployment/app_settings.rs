//! `[app_settings]`: what the service is told.

use std::time::Duration;

use crate::llm::Llm;
use crate::reader::Reader;
use crate::service::{self, App, Environment, LogFormat};

/// Inside the container, everything but the choices of the file is fixed by the image.
pub(super) fn read(reader: &mut Reader, environment: Environment) -> App {
    let weather = reader.choice("app_settings.weather_source", &service::WEATHER_SOURCES);
    if environment == Environment::Production && weather == service::WeatherSource::Demo {
        let hint = "production needs real forecasts; set it to open-meteo or wxtech";
        reader.problem("app_settings.weather_source", "demo is not for production", hint);
    }
    App {
        environment,
        page_addr: ([0, 0, 0, 0], 8501).into(),
        api_addr: ([0, 0, 0, 0], 8000).into(),
        weather,
        open_meteo_base_url: None,
        wxtech_base_url: None,
        llm: Llm { providers: Llm::read_providers(reader, "app_settings.llm_providers"), ..Llm::default() },
        workers: reader.number("app_settings.workers", 1..=16),
        cache_dir: "/app/cache".into(),
        memory_entries: reader.number("app_settings.memory_entries", 1..=100_000),
        memory_ttl: Duration::from_secs(reader.number("app_settings.memory_ttl_seconds", 0..=86_400)),
        file_ttl: Duration::from_secs(reader.number("app_settings.file_ttl_seconds", 0..=604_800)),
        spatial_radius_km: reader.number("app_settings.spatial_radius_km", 0..=100),
        history_days: reader.number_or("app_settings.history_days", service::HISTORY_DAYS, service::HISTORY_RANGE),
        log_format: LogFormat::Json,
        log_filter: "info".to_owned(),
        metrics_namespace: None,
        now: None,
    }
}
