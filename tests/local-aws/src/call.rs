//! One call of the SDK, read from its HTTP request: service, operation, fields.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::{Map, Value};

use crate::cbor;

/// How a service writes its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// XML as EC2 writes it.
    Ec2,
    /// XML of the other query services.
    Query,
    /// JSON with the operation in a header.
    Json,
    /// JSON with the operation in method and path.
    RestJson,
    /// XML with the operation in method and path.
    RestXml,
    /// CBOR with the operation in the path; the simulation thinks of it as JSON.
    Cbor,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which one it is in this account, from 1.
    pub number: u64,
    /// The service's name in signatures, as `elasticloadbalancing`.
    pub service: String,
    /// The operation, as `CreateLoadBalancer`.
    pub operation: String,
    /// The fields; flat for query services (`Subnets.member.1`), nested for the others.
    pub fields: Value,
    /// When it arrived, since the account began.
    pub at: Duration,
}

impl Call {
    /// Reads a request.
    ///
    /// # Panics
    /// When it is not a request of a known shape: then the simulation must learn it.
    pub(crate) fn of(request: &HttpRequest, number: u64, at: Duration) -> Self {
        let header = |name: &str| request.headers().get(name).unwrap_or_default();
        let service = service(request).unwrap_or_default().to_owned();
        assert!(!service.is_empty(), "a request to no service: {} {}", request.method(), request.uri());
        let body = request.body().bytes().unwrap_or_default();
        let (operation, fields) = match protocol(&service) {
            Protocol::Json => {
                let target = header("x-amz-target");
                let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
                (operation, serde_json::from_slice(body).unwrap_or(Value::Null))
            }
            Protocol::Ec2 | Protocol::Query => {
                let fields = form(&String::from_utf8_lossy(body));
                (fields["Action"].as_str().unwrap_or_default().to_owned(), fields)
            }
            Protocol::RestJson => rest(request.method(), request.uri(), body),
            Protocol::RestXml => rest_xml(request.method(), request.uri(), body),
            Protocol::Cbor => {
                let operation = request.uri().rsplit('/').next().unwrap_or_default().to_owned();
                (operation, cbor::read(body))
            }
        };
        assert!(!operation.is_empty(), "a request without an operation: {} {}", request.method(), request.uri());
        Self { number, service, operation, fields, at }
    }

    /// How the service writes its answers.
    pub fn protocol(&self) -> Protocol {
        protocol(&self.service)
    }

    /// A field's text, or an empty one.
    pub fn text(&self, field: &str) -> &str {
        self.fields[field].as_str().unwrap_or_default()
    }

    /// A query service's list, as `Subnets.member`.
    pub fn list(&self, prefix: &str) -> Vec<&str> {
        (1..).map_while(|index| self.fields[format!("{prefix}.{index}")].as_str()).collect()
    }

    /// Whether it is this operation.
    pub fn is(&self, service: &str, operation: &str) -> bool {
        self.service == service && self.operation == operation
    }

    /// Whether nothing changes by it.
    pub fn reads(&self) -> bool {
        let verbs = ["Get", "List", "Describe", "Head", "BatchGet", "BatchCheck", "Filter", "Simulate"];
        verbs.iter().any(|verb| self.operation.starts_with(verb))
    }
}

/// The service that a request is for, as its signature says; none if it is for something that was deployed.
pub(crate) fn service(request: &HttpRequest) -> Option<&str> {
    let signed =
        request.headers().get("authorization").and_then(|it| it.split("Credential=").nth(1)?.split('/').nth(3));
    // Whoever comes for a role with somebody else's token has nothing to sign with.
    signed.or_else(|| request.uri().starts_with("https://sts.").then_some("sts"))
}

/// How a service writes its answers.
fn protocol(service: &str) -> Protocol {
    match service {
        "ec2" => Protocol::Ec2,
        "iam" | "elasticloadbalancing" | "sns" | "sts" => Protocol::Query,
        "monitoring" => Protocol::Cbor,
        "elasticfilesystem" => Protocol::RestJson,
        "route53" => Protocol::RestXml,
        _ => Protocol::Json,
    }
}

fn form(body: &str) -> Value {
    let fields = body.split('&').filter_map(|field| field.split_once('='));
    let fields = fields.map(|(key, value)| (decode(key), Value::String(decode(value))));
    Value::Object(fields.collect())
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The parts of a path behind the version, and the query.
fn path(uri: &str) -> (Vec<&str>, &str) {
    let path_and_query = uri.split_once("amazonaws.com").map_or(uri, |(_, path)| path);
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    (path.trim_matches('/').split('/').skip(1).collect(), query)
}

/// Route 53: the operation is in the method and the path; the body stays as it is.
fn rest_xml(method: &str, uri: &str, body: &[u8]) -> (String, Value) {
    let (parts, query) = path(uri);
    let operation = match (method, parts.as_slice()) {
        ("POST", ["hostedzone"]) => "CreateHostedZone",
        ("GET", ["hostedzonesbyname"]) => "ListHostedZonesByName",
        ("POST", ["hostedzone", _, "rrset"]) => "ChangeResourceRecordSets",
        ("GET", ["hostedzone", _, "rrset"]) => "ListResourceRecordSets",
        ("GET", ["change", _]) => "GetChange",
        _ => "",
    };
    let mut fields = form(query);
    fields["Id"] = Value::String(parts.get(1).copied().unwrap_or_default().to_owned());
    fields["Body"] = Value::String(String::from_utf8_lossy(body).into_owned());
    (operation.to_owned(), fields)
}

/// EFS: the operation is in the method and the path.
fn rest(method: &str, uri: &str, body: &[u8]) -> (String, Value) {
    let (parts, query) = path(uri);
    let mut fields = match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    if let Value::Object(more) = form(query) {
        fields.extend(more);
    }
    // The one list that EFS takes in a query.
    let keys: Vec<_> = query.split('&').filter_map(|field| field.strip_prefix("tagKeys=")).map(decode).collect();
    if !keys.is_empty() {
        fields.insert("tagKeys".to_owned(), keys.into());
    }
    let mut id = |key: &str| {
        if let Some(id) = parts.get(1) {
            fields.insert(key.to_owned(), Value::String((*id).to_owned()));
        }
    };
    let operation = match (method, parts.first().copied().unwrap_or_default(), parts.get(2).copied()) {
        ("POST", "file-systems", None) => "CreateFileSystem",
        ("GET", "file-systems", None) => "DescribeFileSystems",
        ("PUT", "file-systems", None) => "UpdateFileSystem",
        ("DELETE", "file-systems", None) => "DeleteFileSystem",
        ("PUT", "file-systems", Some("lifecycle-configuration")) => "PutLifecycleConfiguration",
        ("GET", "file-systems", Some("lifecycle-configuration")) => "DescribeLifecycleConfiguration",
        ("PUT", "file-systems", Some("backup-policy")) => "PutBackupPolicy",
        ("GET", "file-systems", Some("backup-policy")) => "DescribeBackupPolicy",
        ("PUT", "file-systems", Some("policy")) => "PutFileSystemPolicy",
        ("GET", "file-systems", Some("policy")) => "DescribeFileSystemPolicy",
        ("DELETE", "file-systems", Some("policy")) => "DeleteFileSystemPolicy",
        ("POST", "mount-targets", None) => "CreateMountTarget",
        ("GET", "mount-targets", None) => "DescribeMountTargets",
        ("DELETE", "mount-targets", None) => "DeleteMountTarget",
        ("PUT", "mount-targets", Some("security-groups")) => "ModifyMountTargetSecurityGroups",
        ("GET", "mount-targets", Some("security-groups")) => "DescribeMountTargetSecurityGroups",
        ("POST", "access-points", None) => "CreateAccessPoint",
        ("GET", "access-points", None) => "DescribeAccessPoints",
        ("DELETE", "access-points", None) => "DeleteAccessPoint",
        ("POST", "resource-tags", None) => "TagResource",
        ("GET", "resource-tags", None) => "ListTagsForResource",
        ("DELETE", "resource-tags", None) => "UntagResource",
        _ => "",
    };
    match parts.first().copied().unwrap_or_default() {
        "file-systems" => id("FileSystemId"),
        "mount-targets" => id("MountTargetId"),
        "access-points" => id("AccessPointId"),
        _ => id("ResourceId"),
    }
    (operation.to_owned(), Value::Object(fields))
}
