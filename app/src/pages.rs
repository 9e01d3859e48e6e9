//! The page: choose places, get comments. It works without JavaScript.

mod failure;

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use config::places::{Place, Places, groups};
use futures::stream::StreamExt as _;
use jiff::civil::Date;

use crate::domain::day::{HOURS, Slot, target_date};
use crate::domain::outline::Outline;
use crate::service::{By, Comment, Service};
use crate::weather::Upstream;
use failure::Failure;

/// The addresses of the page.
pub fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/", get(page))
        .route("/take", post(crate::api::take))
        .route(
            "/assets/page.css",
            get(|| async { asset("text/css; charset=utf-8", include_str!("../assets/page.css")) }),
        )
        .route(
            "/assets/page.js",
            get(|| async { asset("text/javascript; charset=utf-8", include_str!("../assets/page.js")) }),
        )
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=300")], text)
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    date: Date,
    /// The date as it is read.
    day: String,
    source: &'static str,
    /// Why there are no new forecasts, if there are none.
    down: Option<String>,
    regions: Vec<Region<'a>>,
    rows: Vec<Row>,
    failures: Vec<Failure>,
    dots: Vec<Dot<'a>>,
}

struct Region<'a> {
    name: &'a str,
    places: usize,
    chosen: usize,
    /// Once there are results, they are what one wants to see.
    open: bool,
    groups: Vec<Group<'a>>,
}

struct Group<'a> {
    name: &'a str,
    places: Vec<Choice<'a>>,
}

struct Choice<'a> {
    place: &'a Place,
    chosen: bool,
}

struct Row {
    comment: Comment,
    characters: usize,
    /// The day as a whole, in a sentence.
    outline: String,
}

/// A place on the map.
struct Dot<'a> {
    name: &'a str,
    x: i32,
    y: i32,
    sky: String,
}

impl Row {
    fn of(comment: Comment) -> Self {
        // The space between the halves is not read.
        let characters = comment.comment.chars().count() - 1;
        let outline = sentence(&comment.outline);
        Self { comment, characters, outline }
    }

    /// The four hours in order; one without a forecast keeps its place.
    fn hours(&self) -> [Option<Hour>; HOURS.len()] {
        HOURS.map(|hour| self.comment.day.slots.iter().find(|slot| slot.hour == hour).map(Hour::of))
    }

    fn lacks_hours(&self) -> bool {
        self.comment.day.slots.len() < HOURS.len()
    }
}

/// The forecast of an hour, as it is read.
struct Hour {
    sky: String,
    label: &'static str,
    temperature: String,
    rain: String,
    warmer: Option<String>,
}

impl Hour {
    fn of(slot: &Slot) -> Self {
        let Slot { label, precipitation, .. } = *slot;
        let rain = if precipitation >= 0.05 { format!("{precipitation:.1}mm") } else { String::new() };
        Self {
            sky: sky_class(slot),
            label,
            temperature: degrees(slot.temperature),
            rain,
            warmer: slot.warmer.map(change),
        }
    }
}

/// Whole degrees; there is no minus before 0.
fn degrees(celsius: f64) -> String {
    format!("{:.0}", celsius.round() + 0.0)
}

/// A change of tenths of a degree; 0 has a sign of its own.
fn change(celsius: f64) -> String {
    let tenths = (celsius * 10.0).round() / 10.0;
    if tenths == 0.0 { "±0.0".to_owned() } else { format!("{tenths:+.1}") }
}

/// `11月25日（水）`.
fn in_japanese(date: Date) -> String {
    let weekday =
        ["月", "火", "水", "木", "金", "土", "日"][usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
    format!("{}月{}日（{weekday}）", date.month(), date.day())
}

fn sentence(outline: &Outline) -> String {
    let mut sentence = format!("傾向：{}・4時刻の気温差{:.1}℃", outline.trend.label(), outline.range);
    if outline.stable {
        sentence.push_str("・安定した空");
    }
    if outline.continuous {
        sentence.push_str("・降り続く");
    }
    if let Some(warmer) = outline.warmer {
        write!(sentence, "・前日差{}℃", change(warmer)).expect("a text takes more text");
    }
    sentence
}

/// `/?place=東京&place=大阪`, as the form sends it.
async fn page(State(service): State<Arc<Service>>, Query(query): Query<Vec<(String, String)>>) -> Response {
    let places = Places::embedded();
    let chosen: Vec<String> =
        query.into_iter().filter(|(key, _)| key == "place").map(|(_, name)| name).take(142).collect();
    let mut results: Vec<_> = Arc::clone(&service).batch(chosen.clone(), By::Preferred).collect().await;
    results.sort_by_key(|(name, _)| places.all().iter().position(|place| place.name == *name));
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for (name, result) in results {
        match result {
            Ok(comment) => rows.push(Row::of(comment)),
            Err(error) => failures.push(Failure::of(name, &error)),
        }
    }
    let choice = |place| Choice { place, chosen: chosen.contains(&place.name) };
    let group = |(name, places): (_, &'static [Place])| Group { name, places: places.iter().map(choice).collect() };
    let regions = places.regions().into_iter().map(|(name, places)| {
        let chosen = places.iter().filter(|place| chosen.contains(&place.name)).count();
        let groups = groups(places).into_iter().map(group).collect();
        Region { name, places: places.len(), chosen, open: chosen > 0 && rows.is_empty(), groups }
    });
    let regions = regions.collect();
    let date = target_date(service.now());
    let mut dots: Vec<_> = places.all().iter().map(|place| dot(place, &rows)).collect();
    // What was asked for lies on top.
    dots.sort_by_key(|dot| !dot.sky.is_empty());
    let page = Page {
        date,
        day: in_japanese(date),
        source: service.forecasts.source(),
        down: service.forecasts.upstream().and_then(Upstream::down),
        regions,
        dots,
        rows,
        failures,
    };
    show(StatusCode::OK, page.render())
}

/// One degree is thirty units each way; the map shows Japan from 23 to 46 degrees north.
#[expect(clippy::cast_possible_truncation, reason = "coordinates on Earth are small")]
fn dot<'a>(place: &'a Place, rows: &[Row]) -> Dot<'a> {
    let row = rows.iter().find(|row| row.comment.location == place.name);
    let sky = row.map_or_else(String::new, |row| sky_class(&row.comment.choice.representative));
    let x = ((place.longitude - 122.0) * 16.0) as i32;
    let y = ((46.0 - place.latitude) * 20.0) as i32;
    Dot { name: &place.name, x, y, sky }
}

/// The name of a sky in the style sheet.
fn sky_class(slot: &Slot) -> String {
    serde_json::to_value(slot.sky).ok().and_then(|sky| Some(format!("sky-{}", sky.as_str()?))).unwrap_or_default()
}

/// A page that says one thing, with the way back.
#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    title: &'static str,
    /// What to do next.
    next: &'static str,
}

/// The answer to an address that does not exist.
pub async fn not_found() -> Response {
    show(StatusCode::NOT_FOUND, Message { title: "このページはありません", next: "" }.render())
}

/// The answer when a request was given up, or broke.
pub fn broken(status: StatusCode) -> Response {
    let message = match status {
        StatusCode::GATEWAY_TIMEOUT => Message {
            title: "時間内に作れませんでした",
            next: "もう一度作るか、地点をへらしてください。届いた予報は残っているので、次は早く終わります。",
        },
        _ => Message {
            title: "ページを表示できません",
            next: "もう一度試して、直らないときは管理者に知らせてください。",
        },
    };
    show(status, message.render())
}

fn show(status: StatusCode, page: askama::Result<String>) -> Response {
    match page {
        Ok(page) => (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "ページを表示できません").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_date_is_read_with_its_weekday() {
        assert_eq!(in_japanese(date(2026, 11, 25)), "11月25日（水）");
        assert_eq!(in_japanese(date(2027, 1, 3)), "1月3日（日）");
    }

    #[test]
    fn nothing_is_minus_zero() {
        assert_eq!([-0.6, -0.5, -0.4, -0.0, 0.4, 0.5].map(degrees), ["-1", "-1", "0", "0", "0", "1"]);
        assert_eq!([-0.3, -0.04, 0.0, 0.04, 1.25].map(change), ["-0.3", "±0.0", "±0.0", "±0.0", "+1.3"]);
    }
}
