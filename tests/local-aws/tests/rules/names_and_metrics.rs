//! Names on the internet, alarms, dashboards and topics.

use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic};
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_sdk_sns::types::Tag;

use crate::account::{Account, seconds};
use crate::harness::{Said, probes, said, seen};

async fn change(it: &Account, action: ChangeAction, set: ResourceRecordSet) -> Result<Option<String>, Said> {
    let change = Change::builder().action(action).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    let result = it.aws.route53.change_resource_record_sets().hosted_zone_id("Z1").change_batch(batch).send().await;
    match result {
        Ok(changed) => Ok(changed.change_info.map(|info| info.id)),
        refused => Err(said(refused)),
    }
}

fn zone(it: &Account) {
    it.cloud.world(|world| world.dns.add_zone("Z1", "example.com", false));
}

fn text(value: &str) -> ResourceRecordSet {
    let record = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name("a.example.com").r#type(RrType::Cname).ttl(60);
    set.resource_records(record).build().unwrap()
}

probes! {
    record_deletions: "InvalidChangeBatch", "do not match the current values", async |it: Account| {
        zone(&it);
        change(&it, ChangeAction::Upsert, text("b.example.com")).await.unwrap();
        seconds(60).await;
        change(&it, ChangeAction::Delete, text("c.example.com")).await.err().flatten()
    };
    alias_zones: "InvalidChangeBatch", "does not lie within the target zone", async |it: Account| {
        zone(&it);
        it.load_balancer().await;
        let described = it.aws.elb.describe_load_balancers().send().await.unwrap();
        let name = described.load_balancers()[0].dns_name().unwrap();
        let target = AliasTarget::builder().hosted_zone_id("Z1").dns_name(name).evaluate_target_health(false);
        let set = ResourceRecordSet::builder().name("a.example.com").r#type(RrType::A);
        let set = set.alias_target(target.build().unwrap()).build().unwrap();
        change(&it, ChangeAction::Upsert, set).await.err().flatten()
    };
    changes_of_names_spread: "PENDING", "", async |it: Account| {
        zone(&it);
        let id = change(&it, ChangeAction::Upsert, text("b.example.com")).await.unwrap().unwrap();
        let got = it.aws.route53.get_change().id(id).send().await.unwrap();
        seen(got.change_info.unwrap().status.as_str())
    };
    one_batch_at_a_time: "asked again", "", async |it: Account| {
        zone(&it);
        change(&it, ChangeAction::Upsert, text("b.example.com")).await.unwrap();
        // The SDK takes the refusal for throttling and asks again by itself, some times.
        while change(&it, ChangeAction::Upsert, text("c.example.com")).await.is_err() {}
        let calls = it.cloud.calls();
        let asked = calls.iter().filter(|call| call.operation == "ChangeResourceRecordSets").count();
        (asked > 2).then(|| seen("asked again")).flatten()
    };
    alarm_periods: "ValidationError", "Period must be", async |it: Account| {
        let request = it.aws.cloudwatch.put_metric_alarm().alarm_name("a").namespace("AWS/ECS").metric_name("m");
        let request = request.statistic(Statistic::Average).period(45).evaluation_periods(1).threshold(1.0);
        said(request.comparison_operator(ComparisonOperator::GreaterThanThreshold).send().await)
    };
    dashboard_names: "InvalidParameterInput", "DashboardName", async |it: Account| {
        said(it.aws.cloudwatch.put_dashboard().dashboard_name("d/x").dashboard_body("{}").send().await)
    };
    topic_tags: "InvalidParameter", "Topic already exists with different tags", async |it: Account| {
        let tag = |value: &str| Tag::builder().key("k").value(value).build().unwrap();
        it.aws.sns.create_topic().name("t").tags(tag("1")).send().await.unwrap();
        said(it.aws.sns.create_topic().name("t").tags(tag("2")).send().await)
    };
}
