//! The JSON API, and what machines ask besides.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use config::places::Places;
use futures::stream::{Stream, StreamExt as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::judge::{Judge, Provider};
use crate::service::{By, Comment, NoComment, NotTaken, Service};
use crate::weather::{Upstream, WeatherError};

/// The addresses of the API.
pub fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/locations", get(locations))
        .route("/api/providers", get(providers))
        .route("/api/history", get(history))
        .route("/api/explain", get(explain))
        .route("/api/generate", post(generate))
        .route("/api/take", post(take))
        .route("/api/generate/bulk", post(bulk))
        .route("/api/generate/stream", get(stream))
        .method_not_allowed_fallback(wrong_method)
}

/// An answer that is not what was asked for, in the form of RFC 9457.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    more: Value,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "title": self.title, "status": self.status.as_u16(), "detail": self.detail });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), self.more) {
            body.extend(more);
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body.to_string()).into_response();
        if let Some(seconds) = body["retry_after_seconds"].as_u64() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<NoComment> for Problem {
    fn from(error: NoComment) -> Self {
        let detail = error.to_string();
        let (status, title, more) = match error {
            NoComment::UnknownPlace { suggestions, .. } => {
                (StatusCode::NOT_FOUND, "unknown place", json!({ "suggestions": suggestions }))
            }
            NoComment::Weather(error @ (WeatherError::Busy { .. } | WeatherError::Down { .. })) => {
                let busy = matches!(error, WeatherError::Busy { .. });
                let title = if busy { "weather service busy" } else { "weather service down" };
                let seconds = error.retry_after().map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
                (StatusCode::SERVICE_UNAVAILABLE, title, json!({ "retry_after_seconds": seconds }))
            }
            NoComment::Weather(_) => (StatusCode::BAD_GATEWAY, "no forecast", Value::Null),
            NoComment::Late => (StatusCode::GATEWAY_TIMEOUT, "too late", Value::Null),
            NoComment::Rules(_) => (StatusCode::UNPROCESSABLE_ENTITY, "no comment fits", Value::Null),
        };
        Self { status, title, detail, more }
    }
}

/// JSON whose errors are problems too.
pub struct Body<T>(T);

impl<T, S> FromRequest<S> for Body<T>
where
    Json<T>: FromRequest<S, Rejection = JsonRejection>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state).await.map_err(|rejection| Problem {
            status: rejection.status(),
            title: "malformed request",
            detail: rejection.body_text(),
            more: Value::Null,
        })?;
        Ok(Self(body))
    }
}

/// A query whose errors are problems too.
struct Asked<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::from_request_parts(parts, state).await.map_err(|rejection| Problem {
            status: rejection.status(),
            title: "malformed request",
            detail: rejection.body_text(),
            more: Value::Null,
        })?;
        Ok(Self(query))
    }
}

/// What a generation is asked for with.
#[derive(Debug, Deserialize)]
pub struct GenerateRequest {
    location: String,
    /// Numbers of pairs that must not come again.
    #[serde(default)]
    exclude: BTreeSet<String>,
    /// Who is to choose; without it, whoever is preferred.
    provider: Option<String>,
}

#[derive(Debug, Deserialize)]
struct BulkRequest {
    locations: Locations,
    provider: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Locations {
    /// `"all"`.
    Word(String),
    Names(Vec<String>),
}

impl Locations {
    fn problem(title: &'static str, detail: String) -> Problem {
        Problem { status: StatusCode::UNPROCESSABLE_ENTITY, title, detail, more: Value::Null }
    }

    fn names(self) -> Result<Vec<String>, Problem> {
        let all = || Places::embedded().all().iter().map(|place| place.name.clone()).collect();
        match self {
            Self::Word(word) if word == "all" => Ok(all()),
            Self::Names(names) if !names.is_empty() => {
                let mut seen = BTreeSet::new();
                let names: Vec<_> = names.into_iter().filter(|name| seen.insert(name.clone())).collect();
                if names.len() > MOST_PLACES {
                    let detail = format!("{} names were given, and there are {MOST_PLACES} places", names.len());
                    return Err(Self::problem("too many places", detail));
                }
                Ok(names)
            }
            _ => Err(Self::problem("no places", "give \"locations\" as a list of names, or as \"all\"".to_owned())),
        }
    }
}

/// There are no more places than these.
const MOST_PLACES: usize = 142;

/// One place's part of a batch.
#[derive(Serialize)]
struct BulkResult {
    success: bool,
    location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Comment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl BulkResult {
    fn of((location, result): (String, Result<Comment, NoComment>)) -> Self {
        let (result, error) = match result {
            Ok(comment) => (Some(comment), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { success: result.is_some(), location, result, error }
    }
}

async fn locations() -> impl IntoResponse {
    let places = Places::embedded();
    let names: Vec<_> = places.all().iter().map(|place| &place.name).collect();
    Json(json!({ "locations": names, "places": places.all() }))
}

async fn providers(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let judges = service.judge.iter().flat_map(Judge::providers).map(|provider| {
        let word = provider.kind().word();
        json!({ "id": word, "name": word, "model": provider.model(), "description": "ルールが残した候補から選ぶ" })
    });
    let rules = json!({ "id": "rules", "name": "ルール", "description": "承認済みの表現からルールで選ぶ" });
    let providers: Vec<_> = judges.chain([rules]).collect();
    Json(json!({
        "weather": service.forecasts.source(),
        "weather_down": service.forecasts.upstream().and_then(Upstream::down),
        "providers": providers,
    }))
}

/// Who is meant by a name in a question.
fn by(service: &Service, name: Option<&str>) -> Result<By, Problem> {
    let judges = || service.judge.iter().flat_map(Judge::providers).map(Provider::kind);
    match name {
        None => Ok(By::Preferred),
        Some("rules") => Ok(By::Rules),
        Some(name) => judges().find(|kind| kind.word() == name).map(By::Provider).ok_or_else(|| {
            let known: Vec<_> = judges().map(|kind| kind.word()).chain(["rules"]).collect();
            let name: String = name.chars().take(50).collect();
            Problem {
                status: StatusCode::BAD_REQUEST,
                title: "unknown provider",
                detail: format!("{name:?} cannot choose here; choose from {}", known.join(", ")),
                more: json!({ "providers": known }),
            }
        }),
    }
}

#[derive(Deserialize)]
struct HistoryQuery {
    limit: Option<usize>,
}

async fn history(State(service): State<Arc<Service>>, Asked(query): Asked<HistoryQuery>) -> impl IntoResponse {
    let limit = query.limit.unwrap_or(50).min(1000);
    Json(json!({ "history": service.history.latest(limit).await }))
}

async fn generate(
    State(service): State<Arc<Service>>,
    Body(request): Body<GenerateRequest>,
) -> Result<impl IntoResponse, Problem> {
    let comment =
        service.generate(&request.location, &request.exclude, by(&service, request.provider.as_deref())?).await?;
    let mut body = serde_json::to_value(&comment).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.insert("success".to_owned(), true.into());
    }
    Ok(Json(body))
}

/// Which alternative an editor took.
#[derive(Debug, Deserialize)]
pub struct TakeRequest {
    location: String,
    /// Its number.
    id: String,
}

/// Notes that an editor took an alternative; on both listeners, because the page says so by itself.
pub async fn take(
    State(service): State<Arc<Service>>,
    Body(request): Body<TakeRequest>,
) -> Result<impl IntoResponse, Problem> {
    match service.take(&request.location, &request.id).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem {
            status: StatusCode::CONFLICT,
            title: "not offered",
            detail:
                "give \"id\" as that of a pair or an alternative of a comment that was generated for this place and day"
                    .to_owned(),
            more: Value::Null,
        }),
        Err(NotTaken::Place(error)) => Err(error.into()),
        Err(NotTaken::Disk(error)) => {
            tracing::error!(%error, "a choice could not be kept");
            Err(Problem {
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "not kept",
                detail: "the shared disk refuses; the choice is not remembered, try again".to_owned(),
                more: Value::Null,
            })
        }
    }
}

#[derive(Deserialize)]
struct ExplainQuery {
    location: String,
    /// The number of a phrase or of a pair.
    id: String,
}

/// Why a phrase or pair is kept or refused for a place, rule by rule.
async fn explain(
    State(service): State<Arc<Service>>,
    Asked(query): Asked<ExplainQuery>,
) -> Result<impl IntoResponse, Problem> {
    let verdict = service.explain(&query.location, &query.id).await?;
    verdict.map(Json).ok_or_else(|| Problem {
        status: StatusCode::NOT_FOUND,
        title: "unknown phrase",
        detail: "give \"id\" as the number of a phrase (w0001) or of a pair (w0001-a0002)".to_owned(),
        more: Value::Null,
    })
}

async fn bulk(
    State(service): State<Arc<Service>>,
    Body(request): Body<BulkRequest>,
) -> Result<impl IntoResponse, Problem> {
    let by = by(&service, request.provider.as_deref())?;
    let names = request.locations.names()?;
    let results: Vec<_> = service.batch(names, by).map(BulkResult::of).collect().await;
    let success_count = results.iter().filter(|result| result.success).count();
    Ok(Json(json!({ "total": results.len(), "success_count": success_count, "results": results })))
}

#[derive(Deserialize)]
struct StreamQuery {
    locations: String,
    provider: Option<String>,
}

/// The same as a batch, one result at a time, in the order of the question; a client that leaves ends it.
async fn stream(
    State(service): State<Arc<Service>>,
    Asked(query): Asked<StreamQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Problem> {
    let locations = match query.locations.as_str() {
        "all" => Locations::Word("all".to_owned()),
        names => Locations::Names(names.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()),
    };
    let by = by(&service, query.provider.as_deref())?;
    let results =
        service.batch(locations.names()?, by).map(|result| Event::default().json_data(BulkResult::of(result)));
    let done = futures::stream::once(async { Ok(Event::default().event("done").data("{}")) });
    Ok(Sse::new(results.chain(done)).keep_alive(KeepAlive::default()))
}

/// Whether the service is well: it answers. A weather service that is down is said to be, but it is no reason to stop
/// a task: the next one would meet the same.
pub async fn health(State(service): State<Arc<Service>>) -> impl IntoResponse {
    Json(json!({
        "status": "ok",
        "version": option_env!("GIT_REVISION").unwrap_or("development"),
        "weather": service.forecasts.source(),
        "weather_down": service.forecasts.upstream().and_then(Upstream::down),
    }))
}

/// Counters in the text format of Prometheus.
pub async fn metrics(State(service): State<Arc<Service>>) -> String {
    let counts = &service.forecasts.counts;
    let rows = [
        ("comments_total{outcome=\"made\"}", &service.made),
        ("comments_total{outcome=\"failed\"}", &service.failed),
        ("comments_total{outcome=\"refused\"}", &service.refused),
        ("forecasts_total{found=\"memory\"}", &counts.memory),
        ("forecasts_total{found=\"file\"}", &counts.file),
        ("forecasts_total{found=\"neighbour\"}", &counts.neighbour),
        ("forecasts_total{found=\"source\"}", &counts.source),
        ("forecasts_total{found=\"stale\"}", &counts.stale),
        ("forecasts_total{found=\"failed\"}", &counts.failed),
    ];
    let mut text = rows.map(|(name, count)| format!("{name} {}\n", count.load(Ordering::Relaxed))).concat();
    if let Some(upstream) = service.forecasts.upstream() {
        text += &upstream_metrics(upstream);
    }
    for provider in service.judge.iter().flat_map(Judge::providers) {
        let (word, counts) = (provider.kind().word(), &provider.counts);
        let rows = [
            ("llm_questions_total", "", &counts.asked),
            ("llm_verdicts_total", ",outcome=\"chosen\"", &counts.chosen),
            ("llm_verdicts_total", ",outcome=\"passed_over\"", &counts.passed_over),
            ("llm_tokens_total", ",direction=\"in\"", &counts.tokens_in),
            ("llm_tokens_total", ",direction=\"out\"", &counts.tokens_out),
        ];
        for (name, more, count) in rows {
            let count = count.load(Ordering::Relaxed);
            writeln!(text, "{name}{{provider=\"{word}\"{more}}} {count}").expect("a text takes more text");
        }
        if let Some(usd) = provider.usd() {
            writeln!(text, "llm_usd_total{{provider=\"{word}\"}} {usd:.6}").expect("a text takes more text");
        }
    }
    text
}

fn upstream_metrics(upstream: &Upstream) -> String {
    let mut text = String::new();
    let mut row = |name: std::fmt::Arguments<'_>, count: u64| {
        writeln!(text, "{name} {count}").expect("a text takes more text");
    };
    row(format_args!("forecast_rows_skipped_total"), upstream.skipped());
    row(format_args!("weather_service_down"), upstream.down().is_some().into());
    for (outcome, count) in upstream.outcomes() {
        row(format_args!("weather_service_questions_total{{outcome=\"{outcome}\"}}"), count);
    }
    text
}

async fn wrong_method() -> Problem {
    Problem {
        status: StatusCode::METHOD_NOT_ALLOWED,
        title: "wrong method",
        detail: "this address answers another method; the Allow header names it".to_owned(),
        more: Value::Null,
    }
}

/// The answer when a request was given up, or broke.
pub fn broken(status: StatusCode) -> Response {
    let (title, detail) = match status {
        StatusCode::GATEWAY_TIMEOUT => {
            ("too late", "no answer was ready in time; ask again, or for fewer places at once")
        }
        _ => ("internal error", "this is a mistake of the service; its log has more under the answer's x-request-id"),
    };
    Problem { status, title, detail: detail.to_owned(), more: Value::Null }.into_response()
}

/// The answer to an address that does not exist.
pub async fn not_found() -> Problem {
    Problem {
        status: StatusCode::NOT_FOUND,
        title: "no such address",
        detail: "the API is under /api; see README".to_owned(),
        more: Value::Null,
    }
}
