//! The dashboard: AWS's metrics of the service and its own, with the alarms above them.

use std::collections::BTreeMap;

use config::deployment::Deployment;
use config::metrics;
use serde_json::{Map, Value, json};

use super::{ALARMS, Dashboard, ELB, Edge, Handle, Identity, Measured, Names, Stack, Watched};
use crate::resources::alarms;
use crate::resources::dashboard::DashboardSpec;

/// A dashboard is 24 columns wide, so three graphs stand beside each other.
const WIDTH: usize = 8;
const HEIGHT: usize = 6;

/// How it is found.
pub(super) fn key(names: &Names) -> Dashboard {
    Dashboard { name: names.dashboard(), resource: "dashboard".to_owned() }
}

pub(super) fn add(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    identity: Handle<Identity>,
    edge: &Edge,
) -> Handle<Dashboard> {
    let key = key(names);
    let (names, deployment) = (names.clone(), deployment.clone());
    let inputs = (identity, edge.load_balancer, edge.page, edge.api);
    stack.add("dashboard", key, inputs, move |(caller, load_balancer, page, api)| {
        let watched = Watched::new(&deployment, &names, &load_balancer, &page, &api);
        let alarm = |name: &str| alarms::arn(&deployment.region, &caller.account, &format!("{}{name}", names.alarms()));
        let alarms = if deployment.alarms.is_some() { ALARMS.map(alarm).into() } else { Vec::new() };
        DashboardSpec {
            widgets: widgets(&watched, &deployment.region, &alarms),
            settings: Map::from_iter([("start".to_owned(), json!("-PT12H"))]),
        }
    })
}

/// One graph: its title, its lines, and what is said about them all.
type Graph = (&'static str, Vec<Value>, Value);

fn widgets(watched: &Watched, region: &str, alarms: &[String]) -> BTreeMap<String, Value> {
    let mut widgets = BTreeMap::new();
    let top = if alarms.is_empty() { 0 } else { 3 };
    if !alarms.is_empty() {
        let properties = json!({"title": "Alarms", "alarms": alarms});
        let place =
            json!({"type": "alarm", "x": 0, "y": 0, "width": 3 * WIDTH, "height": top, "properties": properties});
        widgets.insert("Alarms".to_owned(), place);
    }
    for (index, (title, lines, more)) in graphs(watched).into_iter().enumerate() {
        let mut properties =
            json!({"title": title, "region": region, "metrics": lines, "view": "timeSeries", "period": 60});
        if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
            properties.extend(more);
        }
        let (x, y) = (index % 3 * WIDTH, top + index / 3 * HEIGHT);
        let widget =
            json!({"type": "metric", "x": x, "y": y, "width": WIDTH, "height": HEIGHT, "properties": properties});
        widgets.insert(title.to_owned(), widget);
    }
    widgets
}

fn graphs(watched: &Watched) -> Vec<Graph> {
    let (balancer, page, api) = (&watched.load_balancer, &watched.page, &watched.api);
    let of_balancer = |name: &str, statistic: &str| line(&watched.of_load_balancer(name), statistic, name);
    let of_service = |name: &str, statistic: &str, label: &str| line(&watched.of_service(name), statistic, label);
    let of_group = |name: &str, group: &str, label: &str| json!([ELB, name, "TargetGroup", group, "LoadBalancer", balancer, {"stat": "Maximum", "label": label}]);
    let percent = json!({"yAxis": {"left": {"min": 0, "max": 100}}});
    vec![
        (
            "CPU and memory, percent",
            vec![of_service("CPUUtilization", "Average", "CPU"), of_service("MemoryUtilization", "Average", "memory")],
            percent.clone(),
        ),
        // Each task reports its CPU once a minute, so the number of reports is the number of tasks.
        ("Tasks", vec![of_service("CPUUtilization", "SampleCount", "tasks")], json!({"yAxis": {"left": {"min": 0}}})),
        (
            "Time to answer, seconds",
            ["p50", "p95", "p99"]
                .map(|percentile| line(&watched.of_load_balancer("TargetResponseTime"), percentile, percentile))
                .into(),
            Value::Null,
        ),
        (
            "Requests and errors",
            ["RequestCount", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"]
                .map(|name| of_balancer(name, "Sum"))
                .into(),
            Value::Null,
        ),
        (
            "Healthy and unhealthy targets",
            vec![
                of_group("HealthyHostCount", page, "page, healthy"),
                of_group("HealthyHostCount", api, "API, healthy"),
                of_group("UnHealthyHostCount", page, "page, unhealthy"),
                of_group("UnHealthyHostCount", api, "API, unhealthy"),
            ],
            Value::Null,
        ),
        ("Comments made, percent", success(watched), percent.clone()),
        ("Forecasts found in a cache, percent", hits(watched), percent.clone()),
        ("Workers at work, percent", efficiency(watched), percent),
        (
            "Questions to other services",
            [metrics::WEATHER_CALLS, metrics::WEATHER_CALLS_FAILED, metrics::MODEL_CALLS]
                .map(|name| line(&watched.of_app(name), "Sum", name))
                .into(),
            Value::Null,
        ),
    ]
}

fn success(watched: &Watched) -> Vec<Value> {
    let parts = [("made", metrics::COMMENTS_MADE), ("failed", metrics::COMMENTS_FAILED)];
    rate(watched, "100 * made / (made + failed)", "success rate", &parts)
}

fn hits(watched: &Watched) -> Vec<Value> {
    let parts = [
        ("memory", metrics::FOUND_IN_MEMORY),
        ("file", metrics::FOUND_IN_FILE),
        ("nearby", metrics::FOUND_NEARBY),
        ("source", metrics::FOUND_AT_SOURCE),
    ];
    let all = "(memory + file + nearby + source)";
    let mut lines = rate(watched, &format!("100 * (memory + file + nearby) / {all}"), "all caches", &parts);
    for (id, label) in [("memory", "memory"), ("file", "shared disk"), ("nearby", "a place nearby")] {
        lines.push(json!([{"expression": format!("100 * {id} / {all}"), "label": label, "id": format!("of_{id}")}]));
    }
    lines
}

fn efficiency(watched: &Watched) -> Vec<Value> {
    let parts = [("work", metrics::WORK_SECONDS), ("there", metrics::WORKER_SECONDS)];
    rate(watched, "100 * work / there", "at work", &parts)
}

/// An expression over sums that are themselves not shown.
fn rate(watched: &Watched, expression: &str, label: &str, parts: &[(&str, &str)]) -> Vec<Value> {
    let shown = json!([{"expression": expression, "label": label, "id": "share"}]);
    let hidden = parts.iter().map(|(id, name)| {
        json!([watched.namespace, name, metrics::DIMENSION, watched.environment,
               {"id": id, "stat": "Sum", "period": 300, "visible": false}])
    });
    std::iter::once(shown).chain(hidden).collect()
}

/// A metric as a dashboard writes it: namespace, name, dimensions in turn, and how it is drawn.
fn line(metric: &Measured, statistic: &str, label: &str) -> Value {
    let mut line = vec![json!(metric.namespace), json!(metric.name)];
    for (name, value) in &metric.dimensions {
        line.extend([json!(name), json!(value)]);
    }
    line.push(json!({"stat": statistic, "label": label}));
    Value::Array(line)
}
