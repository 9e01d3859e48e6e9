//! What a deployment costs a month, from a dated table of prices and stated amounts.

mod difference;

use std::collections::BTreeSet;
use std::fmt;

use config::deployment::{Architecture, Deployment, WebAcl};
use config::metrics;
use schemars::JsonSchema;
use serde::Serialize;

pub use difference::{Difference, difference};

use crate::our_stack::endpoints::SERVICES;
use crate::our_stack::monitoring::ALARM_METRICS;
use crate::resource::Resource as _;
use crate::resources::web_acl_association::WebAclAssociation;

/// The table of prices. Amounts that depend on use are assumptions, and are shown as such.
const PRICES: &str = include_str!("../data/prices.csv");
/// Hours of a month, as AWS counts them.
const HOURS: f64 = 730.0;
/// Gigabytes on the shared disk, written to the log and kept as images: the seed design's figures.
const DISK_GB: f64 = 10.0;
const LOG_GB: f64 = 5.0;
const IMAGES_GB: f64 = 0.1;
/// Gigabytes through NAT gateways: images, forecasts and language models.
const NAT_GB: f64 = 10.0;
/// Gigabytes of connections written down: a few editors, their health checks, and whoever knocks at public addresses.
const FLOW_LOG_GB: f64 = 2.0;
/// Gigabytes through endpoints: logs and secrets; the layers of images go over routes, which cost nothing.
const ENDPOINT_GB: f64 = 5.0;
/// Gigabytes of requests that are kept in a bucket, whose owner decides how long.
const ACCESS_LOGS_GB: f64 = 1.0;
/// Millions of requests that a firewall looks at: a few editors, health checks of others, and whoever knocks.
const WAF_REQUESTS: f64 = 0.5;
/// Gigabytes of sessions in tasks: people type little.
const EXEC_GB: f64 = 0.1;
/// How often services use a key: for each start of a task, each layer of an image, each mail, and each few minutes of a
/// log.
const KEY_USES: f64 = 20_000.0;
/// The kind of what puts a firewall before the load balancer.
const FIREWALL: &str = WebAclAssociation::KIND;
/// What Container Insights measures of one cluster, one service and its tasks.
const INSIGHTS_METRICS: f64 = 20.0;
/// Load balancer capacity units of a page that a few editors use.
const UNITS: f64 = 0.1;
/// What CloudWatch gives every account for nothing each month: metrics that alarms watch, metrics of one's own,
/// dashboards. Other environments in the account share it, so a line that counts on it is an assumption.
const FREE_ALARM_METRICS: u32 = 10;
const FREE_OWN_METRICS: u32 = 10;
const FREE_DASHBOARDS: u32 = 3;

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Line {
    /// What is paid for.
    pub what: String,
    /// The kind of the resource that makes it cost.
    pub kind: String,
    /// How much of it.
    pub amount: String,
    /// What it costs a month.
    pub usd: f64,
    /// Whether the amount is an assumption.
    pub assumed: bool,
}

/// The bill of a month.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Bill {
    /// Its lines.
    pub lines: Vec<Line>,
    /// Their sum.
    pub usd: f64,
    /// The oldest price in it.
    pub as_of: String,
}

/// A region without prices in the table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no prices for region {0} in the table; it knows {1}")]
pub struct NoPrices(String, String);

struct Prices<'a> {
    rows: Vec<(&'a str, f64, &'a str)>,
}

impl Prices<'_> {
    fn of(region: &str) -> Result<Self, NoPrices> {
        let rows = PRICES.lines().skip(1).filter_map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            let [place, item, _, usd, as_of, _] = cells[..] else { return None };
            (place == region).then(|| Some((item, usd.parse().ok()?, as_of)))?
        });
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() {
            return Err(NoPrices(region.to_owned(), "ap-northeast-1".to_owned()));
        }
        Ok(Self { rows })
    }

    fn usd(&self, item: &str) -> f64 {
        self.rows.iter().find(|row| row.0 == item).map_or(f64::NAN, |row| row.1)
    }
}

/// Adds up what a deployment costs.
///
/// # Errors
/// When the region's prices are not in the table.
pub fn bill(deployment: &Deployment) -> Result<Bill, NoPrices> {
    let prices = Prices::of(&deployment.region)?;
    let tasks = f64::from(deployment.service.desired_count);
    let zones = f64::from(u32::try_from(deployment.network.zones).unwrap_or(u32::MAX));
    let (cpu, memory) = (f64::from(deployment.task.cpu) / 1024.0, f64::from(deployment.task.memory_mib) / 1024.0);
    let family = if deployment.task.architecture == Architecture::X86_64 { "x86" } else { "arm" };
    let (vcpu, gb) = (prices.usd(&format!("fargate-{family}-vcpu")), prices.usd(&format!("fargate-{family}-gb")));
    let address = prices.usd("public-address");
    let line = |what: &str, kind: &str, amount: String, usd: f64, assumed: bool| Line {
        what: what.to_owned(),
        kind: kind.to_owned(),
        amount,
        usd,
        assumed,
    };
    let gateways = f64::from(u32::try_from(deployment.network.nat_gateways).unwrap_or(u32::MAX));
    // Behind NAT, tasks have no addresses of their own.
    let (others, whose, of) =
        if gateways > 0.0 { (gateways, "NAT gateways", "NAT gateway") } else { (tasks, "tasks", "ECS service") };
    let mut lines = vec![
        line(
            "Fargate",
            "ECS service",
            format!("{tasks} × {cpu} vCPU, {memory} GB, {family}"),
            tasks * HOURS * (cpu * vcpu + memory * gb),
            false,
        ),
        line("load balancer", "load balancer", "1".to_owned(), HOURS * prices.usd("load-balancer"), false),
        line(
            "load balancer capacity",
            "load balancer",
            format!("{UNITS} units"),
            HOURS * UNITS * prices.usd("load-balancer-unit"),
            true,
        ),
        line(
            "public addresses",
            "load balancer",
            format!("{zones} of the load balancer"),
            HOURS * zones * address,
            false,
        ),
        line("public addresses", of, format!("{others} of {whose}"), HOURS * others * address, false),
        line("shared disk", "EFS file system", format!("{DISK_GB} GB"), DISK_GB * prices.usd("efs-standard"), true),
        line(
            "log",
            "log group",
            format!("{LOG_GB} GB written, {} days kept", deployment.logs.retention_days),
            logged(deployment, &prices, LOG_GB),
            true,
        ),
        line("secret", "secret", "1".to_owned(), prices.usd("secret"), false),
        line("images", "image", format!("{IMAGES_GB} GB"), IMAGES_GB * prices.usd("ecr"), true),
    ];
    if gateways > 0.0 {
        lines.push(line(
            "NAT gateways",
            "NAT gateway",
            format!("{gateways}"),
            gateways * HOURS * prices.usd("nat-gateway"),
            false,
        ));
        let amount = format!("{NAT_GB} GB");
        lines.push(line("traffic through NAT", "NAT gateway", amount, NAT_GB * prices.usd("nat-gateway-gb"), true));
    }
    if deployment.edge.access_logs_bucket.is_some() {
        let usd = ACCESS_LOGS_GB * prices.usd("s3-standard");
        lines.push(line("access logs", "load balancer", format!("{ACCESS_LOGS_GB} GB kept"), usd, true));
    }
    if let Some(WebAcl::Arn(_)) = deployment.edge.web_acl {
        let amount = "1, which is there already".to_owned();
        lines.push(line("web ACL", FIREWALL, amount, prices.usd("web-acl"), true));
        let usd = WAF_REQUESTS * prices.usd("web-acl-requests");
        lines.push(line("requests through it", FIREWALL, format!("{WAF_REQUESTS} million"), usd, true));
    }
    if deployment.service.exec {
        let amount = format!("{EXEC_GB} GB written, {} days kept", deployment.logs.retention_days);
        lines.push(line("log of sessions", "ECS service", amount, logged(deployment, &prices, EXEC_GB), true));
    }
    if deployment.network.endpoints {
        let number = f64::from(u32::try_from(SERVICES.len()).unwrap_or(u32::MAX));
        let amount = format!("{number} in {zones} zones");
        let usd = number * zones * HOURS * prices.usd("endpoint");
        lines.push(line("endpoints", "VPC endpoint", amount, usd, false));
        let amount = format!("{ENDPOINT_GB} GB");
        let usd = ENDPOINT_GB * prices.usd("endpoint-gb");
        lines.push(line("traffic of endpoints", "VPC endpoint", amount, usd, true));
    }
    if deployment.network.flow_logs {
        let amount = format!("{FLOW_LOG_GB} GB written, {} days kept", deployment.logs.retention_days);
        lines.push(line("flow log", "VPC flow log", amount, logged(deployment, &prices, FLOW_LOG_GB), true));
    }
    if deployment.encryption.kms_key_arn.is_some() {
        let amount = "1, which is there already".to_owned();
        lines.push(line("key of one's own", "secret", amount, prices.usd("kms-key"), true));
        let amount = format!("{KEY_USES} uses");
        let usd = KEY_USES / 10_000.0 * prices.usd("kms-requests");
        lines.push(line("uses of the key", "secret", amount, usd, true));
    }
    if let Some(domain) = &deployment.edge.domain {
        let amount = format!("{}, which is there already", domain.hosted_zone);
        lines.push(line("hosted zone", "hosted zone", amount, prices.usd("hosted-zone"), true));
    }
    if deployment.service.container_insights {
        let amount = format!("{INSIGHTS_METRICS} metrics");
        lines.push(line(
            "Container Insights",
            "ECS cluster",
            amount,
            INSIGHTS_METRICS * prices.usd("custom-metric"),
            true,
        ));
    }
    lines.extend(monitoring(deployment, &prices));
    let as_of = prices.rows.iter().map(|row| row.2).min().unwrap_or_default().to_owned();
    Ok(Bill { usd: sum(&lines), lines, as_of })
}

/// What it costs to write gigabytes down and to keep them.
fn logged(deployment: &Deployment, prices: &Prices<'_>, gigabytes: f64) -> f64 {
    let months = f64::from(deployment.logs.retention_days) / 30.0;
    gigabytes * (prices.usd("logs-ingest") + months * prices.usd("logs-store"))
}

fn sum(lines: &[Line]) -> f64 {
    // Not `sum`, which makes -0 of nothing.
    lines.iter().fold(0.0, |sum, line| sum + line.usd)
}

impl Bill {
    /// The part of the bill that these kinds of resources make.
    #[must_use]
    pub fn of_kinds(mut self, kinds: &BTreeSet<&str>) -> Self {
        self.lines.retain(|line| kinds.contains(line.kind.as_str()));
        Self { usd: sum(&self.lines), ..self }
    }
}

fn monitoring(deployment: &Deployment, prices: &Prices<'_>) -> Vec<Line> {
    let beyond = |what: &str, kind: &str, item: &str, number: u32, free: u32| Line {
        what: what.to_owned(),
        kind: kind.to_owned(),
        amount: format!("{number}, of which {} are free", number.min(free)),
        usd: f64::from(number.saturating_sub(free)) * prices.usd(item),
        assumed: true,
    };
    let mut lines = Vec::new();
    if deployment.alarms.is_some() {
        lines.push(beyond("metrics of alarms", "CloudWatch alarms", "alarm-metric", ALARM_METRICS, FREE_ALARM_METRICS));
    }
    if deployment.settings.metrics_namespace.is_some() {
        let own = metrics::ALWAYS.len() + usize::from(!deployment.settings.llm.providers.is_empty());
        let own = u32::try_from(own).unwrap_or(u32::MAX);
        lines.push(beyond("metrics of the service", "ECS service", "custom-metric", own, FREE_OWN_METRICS));
    }
    if deployment.dashboard {
        lines.push(beyond("dashboard", "CloudWatch dashboard", "dashboard", 1, FREE_DASHBOARDS));
    }
    lines
}

impl fmt::Display for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let mark = if line.assumed { "assumed" } else { "" };
            writeln!(f, "{:<24} {:<40} {:>8.2} USD  {mark}", line.what, line.amount, line.usd)?;
        }
        write!(f, "{:<24} {:<40} {:>8.2} USD  a month; prices of {} or later", "together", "", self.usd, self.as_of)
    }
}

#[cfg(test)]
mod tests {
    use config::deployment::ConfigSource;

    use super::*;

    fn production() -> Deployment {
        Deployment::load(&ConfigSource::Environment("production".to_owned()), &[]).unwrap()
    }

    #[test]
    fn the_bill_is_the_sum_of_its_lines_and_every_price_is_known() {
        let bill = bill(&production()).unwrap();
        assert!(bill.lines.iter().all(|line| line.usd.is_finite() && (line.usd > 0.0 || line.assumed)), "{bill}");
        // One x86 task of 1 vCPU and 2 GB for 730 hours in Tokyo.
        assert!((bill.lines[0].usd - 44.98).abs() < 0.01, "{bill}");
        assert!((bill.usd - bill.lines.iter().map(|line| line.usd).sum::<f64>()).abs() < 1e-9);
    }

    #[test]
    fn what_is_switched_on_is_on_the_bill() {
        let off = bill(&production()).unwrap();
        let mut deployment = production();
        deployment.network.nat_gateways = 1;
        deployment.service.container_insights = true;
        let on = bill(&deployment).unwrap();
        // The gateway for 730 hours, its traffic and the metrics; its address is in place of the task's.
        assert!((on.usd - off.usd - (45.26 + 0.62 + 6.0)).abs() < 0.01, "{on}");
        assert!(on.lines.iter().all(|line| line.usd.is_finite()), "{on}");
    }

    #[test]
    fn connections_are_written_down_at_the_price_of_logs() {
        let off = bill(&production()).unwrap();
        let mut deployment = production();
        deployment.network.flow_logs = true;
        let on = bill(&deployment).unwrap();
        // Two gigabytes, and a month of keeping them.
        assert!((on.usd - off.usd - 2.0 * (0.76 + 0.033)).abs() < 0.001, "{on}");
    }

    #[test]
    fn endpoints_cost_by_the_hour_in_each_zone() {
        let mut deployment = production();
        deployment.network.nat_gateways = 1;
        let off = bill(&deployment).unwrap();
        deployment.network.endpoints = true;
        let on = bill(&deployment).unwrap();
        assert!((on.usd - off.usd - (81.76 + 0.05)).abs() < 0.001, "{on}");
        deployment.network.zones = 3;
        let hours = |bill: &Bill| bill.lines.iter().find(|line| line.what == "endpoints").unwrap().usd;
        assert!((hours(&bill(&deployment).unwrap()) - 1.5 * hours(&on)).abs() < 0.001);
    }

    #[test]
    fn a_key_of_ones_own_costs_a_dollar_and_what_it_is_used() {
        let off = bill(&production()).unwrap();
        let mut deployment = production();
        deployment.encryption.kms_key_arn = Some("arn:aws:kms:key".to_owned());
        let on = bill(&deployment).unwrap();
        assert!((on.usd - off.usd - 1.06).abs() < 0.001, "{on}");
    }

    #[test]
    fn what_is_free_costs_nothing_and_what_is_beyond_it_does() {
        let line = |deployment: &Deployment, what: &str| {
            bill(deployment).unwrap().lines.into_iter().find(|line| line.what == what).map(|line| line.usd)
        };
        let mut deployment = production();
        assert_eq!(line(&deployment, "metrics of alarms"), Some(0.10), "one more than ten");
        assert_eq!(line(&deployment, "metrics of the service"), Some(0.0));
        assert_eq!(line(&deployment, "dashboard"), Some(0.0));
        deployment.settings.llm.providers = vec![config::llm::Provider::Gemini];
        assert_eq!(line(&deployment, "metrics of the service"), Some(0.30));
        deployment.dashboard = false;
        assert_eq!(line(&deployment, "dashboard"), None);
    }

    #[test]
    fn every_line_is_made_by_a_kind_of_the_stack() {
        let mut deployment = production();
        deployment.network.nat_gateways = 1;
        deployment.network.flow_logs = true;
        deployment.service.exec = true;
        deployment.edge.access_logs_bucket = Some("logs".to_owned());
        deployment.edge.web_acl = Some(WebAcl::Arn("arn:aws:wafv2:acl".to_owned()));
        deployment.network.endpoints = true;
        deployment.encryption.kms_key_arn = Some("arn:aws:kms:key".to_owned());
        deployment.service.container_insights = true;
        let stack = crate::our_stack::OurStack::new(&deployment, crate::resources::image::ImageSource::Unknown).stack;
        let kinds: BTreeSet<_> = stack.ids().map(|id| stack.kind(id)).collect();
        let bill = bill(&deployment).unwrap();
        assert!(bill.lines.iter().all(|line| kinds.contains(line.kind.as_str())), "{bill:?}");
        assert_eq!(bill.clone().of_kinds(&kinds), bill);
        assert!(bill.of_kinds(&BTreeSet::new()).usd.is_sign_positive());
    }

    #[test]
    fn a_region_without_prices_is_named() {
        let mut elsewhere = production();
        elsewhere.region = "eu-west-1".to_owned();
        assert_eq!(
            bill(&elsewhere).unwrap_err().to_string(),
            "there are no prices for region eu-west-1 in the table; it knows ap-northeast-1"
        );
    }
}
