//! The emulator behind the rules: one of its services for each AWS service that the stack uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use winterbaume_core::{MockRequest, MockService};

use crate::answer::Answer;
use crate::cbor;

pub(crate) struct Emulator {
    services: BTreeMap<&'static str, Arc<dyn MockService>>,
}

impl Emulator {
    pub(crate) fn new() -> Self {
        let services: [(&'static str, Arc<dyn MockService>); 14] = [
            ("acm", Arc::new(winterbaume_acm::AcmService::new())),
            (
                "application-autoscaling",
                Arc::new(winterbaume_applicationautoscaling::ApplicationAutoScalingService::new()),
            ),
            ("ec2", Arc::new(winterbaume_ec2::Ec2Service::new())),
            ("ecr", Arc::new(winterbaume_ecr::EcrService::new())),
            ("ecs", Arc::new(winterbaume_ecs::EcsService::new())),
            ("elasticfilesystem", Arc::new(winterbaume_efs::EfsService::new())),
            (
                "elasticloadbalancing",
                Arc::new(winterbaume_elasticloadbalancingv2::ElasticLoadBalancingV2Service::new()),
            ),
            ("iam", Arc::new(winterbaume_iam::IamService::new())),
            ("logs", Arc::new(winterbaume_cloudwatchlogs::CloudWatchLogsService::new())),
            ("monitoring", Arc::new(winterbaume_cloudwatch::CloudWatchService::new())),
            ("route53", Arc::new(winterbaume_route53::Route53Service::new())),
            ("secretsmanager", Arc::new(winterbaume_secretsmanager::SecretsManagerService::new())),
            ("sns", Arc::new(winterbaume_sns::SnsService::new())),
            ("sts", Arc::new(winterbaume_sts::StsService::new())),
        ];
        Self { services: BTreeMap::from(services) }
    }

    pub(crate) async fn answer(&self, service: &str, request: &HttpRequest) -> Answer {
        let service = self.services.get(service).unwrap_or_else(|| panic!("the simulation has no service {service}"));
        let mut headers = http::HeaderMap::new();
        for (name, value) in request.headers() {
            let name = http::HeaderName::from_bytes(name.as_bytes()).expect("the SDK sends valid names of headers");
            headers.insert(name, value.parse().expect("the SDK sends valid headers"));
        }
        let body = request.body().bytes().unwrap_or_default();
        let request = MockRequest {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers,
            body: bytes::Bytes::copy_from_slice(body),
        };
        let answer = service.handle(request).await;
        let headers = answer
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        let headers: Vec<_> = headers.collect();
        let is_cbor = headers.iter().any(|(_, value)| value == cbor::CONTENT_TYPE);
        let body = if is_cbor {
            cbor::read(&answer.body).to_string()
        } else {
            String::from_utf8_lossy(&answer.body).into_owned()
        };
        Answer { status: answer.status, headers, body }
    }
}
