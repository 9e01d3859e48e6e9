//! Requests against the service models: one probe for each kind of constraint in each family of protocols.

use std::time::Duration;

use aws_sdk_ec2::error::ProvideErrorMetadata;
use local_aws::call::Call;
use local_aws::runs::Runs;
use local_aws::{Cloud, model};
use provision::aws::{Aws, Owner};
use provision::guard::Access;
use provision::plan::Goal;
use serde_json::{Value, json};

/// What the service answers to a request with these fields.
fn refusal(service: &str, operation: &str, fields: Value) -> Option<(String, String)> {
    let (service, operation) = (service.to_owned(), operation.to_owned());
    let call = Call { number: 1, service, operation, fields, at: Duration::ZERO };
    model::refuses(&call).map(|refusal| (refusal.code, refusal.message))
}

fn fine(service: &str, operation: &str, fields: Value) {
    assert_eq!(refusal(service, operation, fields), None);
}

/// The message must hold every part.
fn refused(service: &str, operation: &str, fields: Value, code: &str, parts: &[&str]) {
    let (got, message) = refusal(service, operation, fields).unwrap_or_else(|| panic!("{operation} was allowed"));
    assert_eq!(got, code, "{message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing from {message:?}");
    }
}

#[test]
fn json_services_check_patterns_enumerations_ranges_and_lengths() {
    let named = |name: &str| json!({"logGroupName": name});
    fine("logs", "CreateLogGroup", named("/weather/staging"));
    let code = "InvalidParameterException";
    refused("logs", "CreateLogGroup", named("a b"), code, &["Value 'a b' at 'logGroupName'", "regular expression"]);
    refused("logs", "CreateLogGroup", named(&"x".repeat(513)), code, &["length less than or equal to 512"]);
    let launched = |kind: &str| json!({"serviceName": "s", "launchType": kind});
    fine("ecs", "CreateService", launched("FARGATE"));
    refused("ecs", "CreateService", launched("LAMBDA"), code, &["at 'launchType'", "enum value set: [", "FARGATE"]);
    let days = |days: Value| json!({"SecretId": "s", "RecoveryWindowInDays": days});
    fine("secretsmanager", "DeleteSecret", days(json!(7)));
    refused("secretsmanager", "DeleteSecret", days(json!("7")), "ValidationException", &["must be an integer"]);
    let page = |most: i32| json!({"MaxResults": most});
    fine("secretsmanager", "ListSecrets", page(100));
    refused("secretsmanager", "ListSecrets", page(101), "ValidationException", &["value less than or equal to 100"]);
    refused("secretsmanager", "ListSecrets", page(0), "ValidationException", &["greater than or equal to 1"]);
}

#[test]
fn json_services_check_what_is_required_down_to_the_members_of_lists() {
    refused(
        "acm",
        "RequestCertificate",
        Value::Null,
        "ValidationException",
        &["null at 'domainName'", "must not be null"],
    );
    let named = |names: &[&str]| json!({"DomainName": "weather.example.com", "SubjectAlternativeNames": names});
    fine("acm", "RequestCertificate", named(&["*.example.com"]));
    let path = "at 'subjectAlternativeNames.2.member'";
    refused("acm", "RequestCertificate", named(&["a.example.com", "-.com"]), "ValidationException", &[path]);
    refused("acm", "RequestCertificate", named(&[]), "ValidationException", &["greater than or equal to 1"]);
    let tagged = json!({"DomainName": "weather.example.com", "Tags": [{"Value": "v"}]});
    refused("acm", "RequestCertificate", tagged, "ValidationException", &["null at 'tags.1.member.key'"]);
}

#[test]
fn json_services_measure_what_is_sent_in_base64() {
    let part = |blob: &str| {
        json!({
            "repositoryName": "wcg", "uploadId": "01234567-89ab-cdef-0123-456789abcdef",
            "partFirstByte": 0, "partLastByte": 1, "layerPartBlob": blob,
        })
    };
    fine("ecr", "UploadLayerPart", part("aGk="));
    let much = "A".repeat(20_971_520 / 3 * 4 + 8);
    let parts = ["at 'layerPartBlob'", "length less than or equal to 20971520"];
    refused("ecr", "UploadLayerPart", part(&much), "InvalidParameterException", &parts);
}

#[test]
fn a_secret_is_measured_and_not_shown() {
    let long = "do-not-show-4711 ".repeat(5000);
    let fields = json!({"SecretId": "s", "SecretString": long, "ClientRequestToken": "short"});
    let (_, message) = refusal("secretsmanager", "PutSecretValue", fields).unwrap();
    assert!(message.starts_with("2 validation errors detected: "), "{message}");
    assert!(message.contains("Value at 'secretString'") && !message.contains("4711"), "{message}");
}

#[test]
fn query_services_are_checked_by_the_paths_of_their_fields() {
    let group =
        |key: &str, value: &str| json!({"Action": "CreateTargetGroup", "Version": "1", "Name": "page", key: value});
    let elb = |key, value, parts: &[&str]| {
        refused("elasticloadbalancing", "CreateTargetGroup", group(key, value), "ValidationError", parts);
    };
    fine("elasticloadbalancing", "CreateTargetGroup", group("HealthCheckIntervalSeconds", "10"));
    elb("HealthCheckIntervalSeconds", "301", &["Value '301' at 'healthCheckIntervalSeconds'", "equal to 300"]);
    elb("HealthCheckIntervalSeconds", "ten", &["must be an integer"]);
    elb("HealthCheckEnabled", "yes", &["must be a boolean"]);
    elb("TargetType", "IP", &["enum value set: [instance, ip, lambda, alb]"]);
    elb("Tags.member.1.Value", "v", &["null at 'tags.1.member.key'"]);
    elb("Tags.1.Key", "k", &["at 'Tags.1.Key'", "not in the service's model"]);
    let actions =
        json!({"ListenerArn": "l", "DefaultActions.member.1.Type": "forward", "DefaultActions.member.2.Order": "0"});
    let parts = ["2 validation errors", "null at 'defaultActions.2.member.type'", "greater than or equal to 1"];
    refused("elasticloadbalancing", "ModifyListener", actions, "ValidationError", &parts);
    let role = |about: &str| json!({"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Description": about});
    fine("iam", "CreateRole", role("Runs the tasks of the service."));
    refused("iam", "CreateRole", role("The service — its tasks"), "ValidationError", &["at 'description'", "pattern"]);
}

#[test]
fn ec2_has_few_constraints_and_its_own_codes() {
    let vpc = |key: &str, value: &str| json!({"Action": "CreateVpc", "CidrBlock": "10.0.0.0/16", key: value});
    fine("ec2", "CreateVpc", vpc("TagSpecification.1.Tag.1.Key", "Name"));
    let tenancy = ["Value (alone) for parameter instanceTenancy", "[default, dedicated, host]"];
    refused("ec2", "CreateVpc", vpc("InstanceTenancy", "alone"), "InvalidParameterValue", &tenancy);
    let page = |most: &str| json!({"Action": "DescribeSubnets", "MaxResults": most});
    fine("ec2", "DescribeSubnets", page("5"));
    refused("ec2", "DescribeSubnets", page("4"), "InvalidParameterValue", &["greater than or equal to 5"]);
    refused("ec2", "CreateVpc", vpc("Tags.1.Key", "Name"), "UnknownParameter", &["The parameter Tags.1.Key"]);
    let group = json!({"Action": "CreateSecurityGroup", "GroupName": "g"});
    refused("ec2", "CreateSecurityGroup", group, "MissingParameter", &["parameter groupDescription"]);
}

#[test]
fn rest_services_are_checked_in_path_query_and_body() {
    let id = "fs-0123456789abcdef0";
    fine("elasticfilesystem", "DescribeMountTargets", json!({"FileSystemId": id, "MaxItems": "10"}));
    let code = "ValidationException";
    let asked = json!({"FileSystemId": id, "MaxItems": "0"});
    refused("elasticfilesystem", "DescribeMountTargets", asked, code, &["at 'maxItems'", "equal to 1"]);
    let stranger = json!({"FileSystemId": "vol-1"});
    refused("elasticfilesystem", "DeleteFileSystem", stranger, code, &["at 'fileSystemId'", "pattern"]);
    let after = |days: &str| json!({"FileSystemId": id, "LifecyclePolicies": [{"TransitionToIA": days}]});
    fine("elasticfilesystem", "PutLifecycleConfiguration", after("AFTER_30_DAYS"));
    let parts = ["at 'lifecyclePolicies.1.member.transitionToIA'", "AFTER_30_DAYS"];
    refused("elasticfilesystem", "PutLifecycleConfiguration", after("AFTER_31_DAYS"), code, &parts);
}

#[test]
fn rest_services_with_xml_are_checked_in_path_query_and_body() {
    let change = |action: &str, ttl: &str| {
        let body = format!(
            "<?xml version=\"1.0\"?><ChangeResourceRecordSetsRequest xmlns=\"x\"><ChangeBatch><Changes><Change>\
             <Action>{action}</Action><ResourceRecordSet><Name>w.example.com</Name><Type>A</Type><TTL>{ttl}</TTL>\
             </ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        );
        json!({"Id": "Z123", "Body": body})
    };
    let code = "InvalidInput";
    fine("route53", "ChangeResourceRecordSets", change("UPSERT", "60"));
    fine("route53", "ListHostedZonesByName", json!({"dnsname": "example.com", "Id": "", "Body": ""}));
    let action = ["Value 'REPLACE' at 'changeBatch.changes.1.member.action'", "[CREATE, DELETE, UPSERT]"];
    refused("route53", "ChangeResourceRecordSets", change("REPLACE", "60"), code, &action);
    let ttl = ["at 'changeBatch.changes.1.member.resourceRecordSet.tTL'", "less than or equal to 2147483647"];
    refused("route53", "ChangeResourceRecordSets", change("UPSERT", "2147483648"), code, &ttl);
    refused("route53", "ChangeResourceRecordSets", json!({"Id": "Z1"}), code, &["null at 'changeBatch'"]);
}

#[test]
fn cbor_is_checked_like_json() {
    let alarm = |period: i32| {
        json!({
            "AlarmName": "a", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Period": period,
            "Threshold": 0.95,
        })
    };
    fine("monitoring", "PutMetricAlarm", alarm(60));
    let parts = ["Value '0' at 'period'", "greater than or equal to 1"];
    refused("monitoring", "PutMetricAlarm", alarm(0), "ValidationError", &parts);
}

#[test]
fn a_field_or_an_operation_that_no_model_knows_is_refused() {
    let cluster = json!({"clusterName": "c", "colour": "blue"});
    refused(
        "ecs",
        "CreateCluster",
        cluster,
        "InvalidParameterException",
        &["at 'colour'", "not in the service's model"],
    );
    refused("ecs", "CreateWeather", json!({}), "UnknownOperationException", &["ecs CreateWeather", "refresh.py"]);
    assert!(!model::knows("ecs", "CreateWeather") && !model::knows("weather", "CreateService"));
}

#[tokio::test(start_paused = true)]
async fn the_sdk_understands_the_refusal_of_every_family() {
    let owner = Owner { app: "models".to_owned(), environment: "test".to_owned() };
    let aws: Aws = Cloud::default().aws(owner, Access::ReadWrite);
    let code = |error: &dyn ProvideErrorMetadata| error.code().unwrap_or_default().to_owned();
    let error = aws.logs.create_log_group().log_group_name("a b").send().await.unwrap_err();
    assert_eq!(code(&error), "InvalidParameterException");
    let error = aws.iam.get_role().role_name("a b").send().await.unwrap_err();
    assert_eq!(code(&error), "ValidationError");
    let error = aws.ec2.create_vpc().instance_tenancy("alone".into()).send().await.unwrap_err();
    assert_eq!(code(&error), "InvalidParameterValue");
    let error = aws.efs.delete_file_system().file_system_id("vol-1").send().await.unwrap_err();
    assert_eq!(code(&error), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn every_operation_of_a_deploy_an_update_and_a_destroy_has_a_model() {
    let mut runs = Runs::on(Cloud::default()).await.unwrap();
    runs.deploy().await.unwrap();
    runs.new_image("the second program").unwrap();
    runs.deployment.logs.retention_days = 90;
    runs.deployment.edge.idle_timeout_seconds = 120;
    runs.deploy().await.unwrap();
    runs.run(Goal::Absent { delete_data: false }).await.unwrap();
    runs.destroy().await.unwrap();
    let calls = runs.cloud.calls();
    let unknown: Vec<_> = calls.iter().filter(|call| !model::knows(&call.service, &call.operation)).collect();
    assert!(unknown.is_empty(), "run tests/local-aws/models/refresh.py; without a model: {unknown:?}");
}
