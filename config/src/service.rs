//! What the service is told: as variables in the task definition, and read back from them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;

use crate::llm::{self, Llm};
use crate::problems::Problems;
use crate::reader::Reader;

/// Where the service runs; it decides what is tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// A developer's machine.
    Local,
    /// The rehearsal.
    Staging,
    /// What editors use.
    Production,
}

/// Where forecasts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeatherSource {
    /// Built-in sample days, without a network.
    Demo,
    /// Open-Meteo's forecast API, which needs no key.
    OpenMeteo,
    /// WxTech's point forecast, which needs a key.
    #[serde(rename = "wxtech")]
    WxTech,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For machines.
    Json,
    /// For people.
    Text,
}

/// The settings of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct App {
    /// Where it runs.
    pub environment: Environment,
    /// Where the page listens.
    pub page_addr: SocketAddr,
    /// Where the JSON API listens.
    pub api_addr: SocketAddr,
    /// Where forecasts come from.
    pub weather: WeatherSource,
    /// The address of Open-Meteo, if not its public one.
    pub open_meteo_base_url: Option<String>,
    /// The address of WxTech, if not its public one.
    pub wxtech_base_url: Option<String>,
    /// Which language models choose among the pairs that the rules leave.
    pub llm: Llm,
    /// How many places of a batch are worked on at the same time.
    pub workers: usize,
    /// The folder of the shared disk.
    pub cache_dir: PathBuf,
    /// How many forecasts are kept in memory.
    pub memory_entries: usize,
    /// For how long a forecast in memory is used.
    pub memory_ttl: Duration,
    /// For how long a forecast on the shared disk is used.
    pub file_ttl: Duration,
    /// Within how many kilometres another place's forecast may serve.
    pub spatial_radius_km: u32,
    /// For so many days results are kept.
    pub history_days: u16,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Which log lines are written, as tracing directives.
    pub log_filter: String,
    /// Whose metrics are written for CloudWatch; none are without it.
    pub metrics_namespace: Option<String>,
    /// A fixed time instead of the clock's, for tests and demonstrations.
    pub now: Option<Timestamp>,
}

/// A year and a little, so that the same week of last year can be read.
pub(crate) const HISTORY_DAYS: u16 = 400;
/// Less than ten days would forget what must rest.
pub(crate) const HISTORY_RANGE: std::ops::RangeInclusive<u16> = 10..=3650;

const ENVIRONMENTS: [(&str, Environment); 3] =
    [("local", Environment::Local), ("staging", Environment::Staging), ("production", Environment::Production)];
pub(crate) const WEATHER_SOURCES: [(&str, WeatherSource); 3] =
    [("demo", WeatherSource::Demo), ("open-meteo", WeatherSource::OpenMeteo), ("wxtech", WeatherSource::WxTech)];
const LOG_FORMATS: [(&str, LogFormat); 2] = [("json", LogFormat::Json), ("text", LogFormat::Text)];

const VARIABLES: &[&str] = &[
    "ENV",
    "PAGE_ADDR",
    "API_ADDR",
    "WEATHER_SOURCE",
    "OPEN_METEO_BASE_URL",
    "WXTECH_BASE_URL",
    "MAX_PARALLEL_WORKERS",
    "CACHE_DIR",
    "CACHE_MEMORY_ENTRIES",
    "CACHE_MEMORY_TTL_SECONDS",
    "CACHE_FILE_TTL_SECONDS",
    "CACHE_SPATIAL_RADIUS_KM",
    "HISTORY_DAYS",
    "LOG_FORMAT",
    "LOG_FILTER",
    "METRICS_NAMESPACE",
    "APP_NOW",
];

impl Environment {
    /// Its name in settings.
    pub fn word(self) -> &'static str {
        ENVIRONMENTS.iter().find(|(_, known)| *known == self).map_or("", |(word, _)| word)
    }
}

fn word<T: PartialEq + Copy>(choices: &[(&'static str, T)], choice: T) -> String {
    choices.iter().find(|(_, known)| *known == choice).map_or("", |(word, _)| word).to_owned()
}

impl App {
    /// Writes the settings as variables.
    pub fn to_env(&self) -> BTreeMap<&'static str, String> {
        let mut variables = BTreeMap::from([
            ("ENV", word(&ENVIRONMENTS, self.environment)),
            ("PAGE_ADDR", self.page_addr.to_string()),
            ("API_ADDR", self.api_addr.to_string()),
            ("WEATHER_SOURCE", word(&WEATHER_SOURCES, self.weather)),
            ("MAX_PARALLEL_WORKERS", self.workers.to_string()),
            ("CACHE_DIR", self.cache_dir.display().to_string()),
            ("CACHE_MEMORY_ENTRIES", self.memory_entries.to_string()),
            ("CACHE_MEMORY_TTL_SECONDS", self.memory_ttl.as_secs().to_string()),
            ("CACHE_FILE_TTL_SECONDS", self.file_ttl.as_secs().to_string()),
            ("CACHE_SPATIAL_RADIUS_KM", self.spatial_radius_km.to_string()),
            ("HISTORY_DAYS", self.history_days.to_string()),
            ("LOG_FORMAT", word(&LOG_FORMATS, self.log_format)),
            ("LOG_FILTER", self.log_filter.clone()),
        ]);
        variables.extend(self.open_meteo_base_url.clone().map(|url| ("OPEN_METEO_BASE_URL", url)));
        variables.extend(self.wxtech_base_url.clone().map(|url| ("WXTECH_BASE_URL", url)));
        variables.extend(self.llm.to_variables());
        variables.extend(self.metrics_namespace.clone().map(|namespace| ("METRICS_NAMESPACE", namespace)));
        variables.extend(self.now.map(|now| ("APP_NOW", now.to_string())));
        variables
    }

    /// The keys without which the service does not start, and the words of the configuration that ask for them.
    pub fn needed_keys(&self) -> Vec<(&'static str, String)> {
        let weather = (self.weather == WeatherSource::WxTech)
            .then(|| ("WXTECH_API_KEY", "app_settings.weather_source is wxtech".to_owned()));
        let models = self.llm.providers.iter();
        let models = models.map(|it| (it.key(), format!("app_settings.llm_providers names {}", it.word())));
        weather.into_iter().chain(models).collect()
    }

    /// Reads the settings from variables.
    ///
    /// # Errors
    /// Every missing, malformed or forbidden variable.
    pub fn from_env(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut reader = Reader::of_variables(&[VARIABLES, &llm::VARIABLES[..]].concat(), get);
        let app = Self {
            environment: reader.choice("ENV", &ENVIRONMENTS),
            page_addr: address(&mut reader, "PAGE_ADDR"),
            api_addr: address(&mut reader, "API_ADDR"),
            weather: reader.choice("WEATHER_SOURCE", &WEATHER_SOURCES),
            open_meteo_base_url: reader.checked("OPEN_METEO_BASE_URL", base_url),
            wxtech_base_url: reader.checked("WXTECH_BASE_URL", base_url),
            llm: Llm::from_variables(&mut reader),
            workers: reader.number_or("MAX_PARALLEL_WORKERS", 4, 1..=16),
            cache_dir: PathBuf::from(reader.text("CACHE_DIR", |_| Ok(()))),
            memory_entries: reader.number_or("CACHE_MEMORY_ENTRIES", 500, 1..=100_000),
            memory_ttl: Duration::from_secs(reader.number_or("CACHE_MEMORY_TTL_SECONDS", 300, 0..=86_400)),
            file_ttl: Duration::from_secs(reader.number_or("CACHE_FILE_TTL_SECONDS", 21_600, 0..=604_800)),
            spatial_radius_km: reader.number_or("CACHE_SPATIAL_RADIUS_KM", 10, 0..=100),
            history_days: reader.number_or("HISTORY_DAYS", HISTORY_DAYS, HISTORY_RANGE),
            log_format: reader.choice("LOG_FORMAT", &LOG_FORMATS),
            log_filter: reader.optional("LOG_FILTER").unwrap_or_else(|| "info".to_owned()),
            metrics_namespace: reader.optional("METRICS_NAMESPACE"),
            now: fixed_time(&mut reader),
        };
        forbid_in_production(&mut reader, app.environment, app.weather, app.now.is_some());
        reader.finish()?;
        Ok(app)
    }
}

pub(crate) fn forbid_in_production(
    reader: &mut Reader,
    environment: Environment,
    weather: WeatherSource,
    fixed_time: bool,
) {
    if environment != Environment::Production {
        return;
    }
    if weather == WeatherSource::Demo {
        let hint = "production needs real forecasts; set it to open-meteo or wxtech";
        reader.problem("WEATHER_SOURCE", "demo is not for production", hint);
    }
    if fixed_time {
        reader.problem("APP_NOW", "a fixed time is not for production", "remove it");
    }
}

fn address(reader: &mut Reader, key: &str) -> SocketAddr {
    let text = reader.text(key, |text| {
        text.parse::<SocketAddr>().map(|_| ()).map_err(|_| {
            (format!("{text:?} is not an address to listen on"), "give IP:PORT, for example 0.0.0.0:8501".to_owned())
        })
    });
    text.parse().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)))
}

pub(crate) fn base_url(text: &str) -> Result<(), (String, String)> {
    if text.starts_with("http://") || text.starts_with("https://") {
        Ok(())
    } else {
        Err((format!("{text:?} is not a base address"), "begin it with https:// or http://".to_owned()))
    }
}

fn fixed_time(reader: &mut Reader) -> Option<Timestamp> {
    let text = reader.optional("APP_NOW")?;
    let time = text.parse().ok();
    if time.is_none() {
        reader.problem(
            "APP_NOW",
            format_args!("{text:?} is not a time"),
            "give an RFC 3339 instant, for example 2026-11-23T05:00:00+09:00",
        );
    }
    time
}

/// The keys of outside services; one that is not set stays out of sight of the code that needs none.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    keys: BTreeMap<&'static str, SecretString>,
}

impl Secrets {
    /// Reads the keys from variables; an empty one counts as not set.
    pub fn from_env(get: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &'static str| Some((name, get(name).filter(|value| !value.is_empty())?.into()));
        Self { keys: crate::SECRET_KEYS.into_iter().filter_map(set).collect() }
    }

    /// A key that something cannot do without.
    ///
    /// # Errors
    /// When it is not set, saying who needs it and how to set it.
    pub fn required(&self, name: &'static str, because: &str) -> Result<SecretString, Problems> {
        self.keys.get(name).cloned().ok_or_else(|| {
            let mut reader = Reader::of_variables(&[], &|_| None);
            let hint = format!("put it in with `provision secrets set {name}`, or set the variable");
            reader.problem(name, format_args!("is missing, and {because}"), hint);
            reader.finish().err().unwrap_or_default()
        })
    }

    /// The names of the keys that are set.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.keys().copied()
    }
}

/// Looks up a variable of this process: the one place that does.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        App {
            environment: Environment::Staging,
            page_addr: "0.0.0.0:8501".parse().unwrap(),
            api_addr: "0.0.0.0:8000".parse().unwrap(),
            weather: WeatherSource::OpenMeteo,
            open_meteo_base_url: Some("http://127.0.0.1:9/x".to_owned()),
            wxtech_base_url: Some("http://127.0.0.1:9/y".to_owned()),
            llm: Llm {
                providers: vec![llm::Provider::Gemini, llm::Provider::OpenAi],
                timeout: Duration::from_secs(5),
                base_urls: BTreeMap::from([(llm::Provider::OpenAi, "http://127.0.0.1:9/v1".to_owned())]),
                models: BTreeMap::from([(llm::Provider::Gemini, "another".to_owned())]),
            },
            workers: 4,
            cache_dir: "/app/cache".into(),
            memory_entries: 500,
            memory_ttl: Duration::from_secs(300),
            file_ttl: Duration::from_secs(21_600),
            spatial_radius_km: 10,
            history_days: 90,
            log_format: LogFormat::Json,
            log_filter: "info".to_owned(),
            metrics_namespace: Some("weather".to_owned()),
            now: Some("2026-11-23T20:00:00Z".parse().unwrap()),
        }
    }

    fn read(variables: &BTreeMap<&'static str, String>) -> Result<App, Problems> {
        App::from_env(&|name| variables.get(name).cloned())
    }

    #[test]
    fn what_is_written_to_variables_is_read_back_the_same() {
        assert_eq!(read(&app().to_env()), Ok(app()));
        let bare = App {
            llm: Llm::default(),
            open_meteo_base_url: None,
            wxtech_base_url: None,
            metrics_namespace: None,
            now: None,
            ..app()
        };
        assert_eq!(read(&bare.to_env()), Ok(bare));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let mut variables = app().to_env();
        variables.insert("WEATHER_SOURCE", "open-metoe".to_owned());
        variables.insert("MAX_PARALLEL_WORKERS", "many".to_owned());
        variables.insert("APP_NOW", "noon".to_owned());
        variables.remove("CACHE_DIR");
        let problems = read(&variables).unwrap_err().to_string();
        insta::assert_snapshot!(problems, @r#"
        the configuration has 4 problems
        environment: WEATHER_SOURCE: "open-metoe" is not known
          hint: did you mean open-meteo?
        environment: MAX_PARALLEL_WORKERS: is not in range
          hint: give a whole number from 1 to 16
        environment: CACHE_DIR: is missing
          hint: add it: a text in quotes
        environment: APP_NOW: "noon" is not a time
          hint: give an RFC 3339 instant, for example 2026-11-23T05:00:00+09:00
        "#);
    }

    #[test]
    fn production_refuses_sample_weather_and_a_fixed_time() {
        let mut variables = app().to_env();
        variables.insert("ENV", "production".to_owned());
        variables.insert("WEATHER_SOURCE", "demo".to_owned());
        let problems = read(&variables).unwrap_err();
        let keys: Vec<_> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["WEATHER_SOURCE", "APP_NOW"]);
    }

    #[test]
    fn an_empty_secret_counts_as_not_set_and_a_set_one_is_never_shown() {
        let secrets = Secrets::from_env(&|name| match name {
            "OPENAI_API_KEY" => Some("sk-very-secret".to_owned()),
            _ => Some(String::new()),
        });
        assert_eq!(secrets.names().collect::<Vec<_>>(), ["OPENAI_API_KEY"]);
        assert!(!format!("{secrets:?}").contains("sk-very-secret"));
    }
}
