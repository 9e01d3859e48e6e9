//! The few calls to the stand-in's AWS that a deploy needs around `provision`, in plain JSON.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::exit::Interrupted;
use crate::signals;

/// The region of the local environment.
pub(super) const REGION: &str = "ap-northeast-1";
/// What the certificate is for. Nobody resolves it.
const DOMAIN: &str = "weather.example.com";
/// How long a restarted task may take until it is healthy.
const PATIENCE: Duration = Duration::from_secs(120);
const INTERVAL: Duration = Duration::from_millis(200);

/// The services behind the stand-in's port.
pub(super) struct Aws {
    pub(super) endpoint: String,
}

impl Aws {
    fn call(&self, service: &str, target: &str, input: &Value) -> Result<Value> {
        // The stand-in looks at the scope of a signature and not at the signature.
        let scope = format!("20260101/{REGION}/{service}/aws4_request");
        let authorization = format!("AWS4-HMAC-SHA256 Credential=local/{scope}, SignedHeaders=host, Signature=none");
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).build(),
        );
        let request = agent
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .header("authorization", authorization);
        let mut answer =
            request.send(input.to_string()).with_context(|| format!("calling {target} of the stand-in"))?;
        let body = answer.body_mut().read_to_vec()?;
        serde_json::from_slice(&body).with_context(|| format!("{target} of the stand-in answered no JSON"))
    }

    fn acm(&self, operation: &str, input: &Value) -> Result<Value> {
        self.call("acm", &format!("CertificateManager.{operation}"), input)
    }

    fn ecs(&self, operation: &str, input: &Value) -> Result<Value> {
        self.call("ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), input)
    }

    fn our_certificate(&self) -> Result<Option<String>> {
        let listed = self.acm("ListCertificates", &json!({}))?;
        let certificates = listed["CertificateSummaryList"].as_array().cloned().unwrap_or_default();
        let ours = certificates.iter().find(|certificate| certificate["DomainName"] == DOMAIN);
        Ok(ours.and_then(|certificate| certificate["CertificateArn"].as_str()).map(ToOwned::to_owned))
    }

    /// The certificate of the load balancer, requested on the first deploy.
    pub(super) fn certificate(&self) -> Result<String> {
        if let Some(arn) = self.our_certificate()? {
            return Ok(arn);
        }
        let requested = self.acm("RequestCertificate", &json!({ "DomainName": DOMAIN, "ValidationMethod": "DNS" }))?;
        let arn = requested["CertificateArn"].as_str().context("the stand-in gave no certificate")?.to_owned();
        let described = self.acm("DescribeCertificate", &json!({ "CertificateArn": arn }))?;
        let status = &described["Certificate"]["Status"];
        if status != "ISSUED" {
            bail!("the stand-in's certificate is {status} and not issued");
        }
        Ok(arn)
    }

    pub(super) fn delete_certificate(&self) -> Result<()> {
        if let Some(arn) = self.our_certificate()? {
            self.acm("DeleteCertificate", &json!({ "CertificateArn": arn }))?;
        }
        Ok(())
    }

    /// The deployment that runs, if there is a service: its cluster, its service, and itself.
    pub(super) fn deployment(&self) -> Result<Option<Deployment>> {
        let clusters = self.ecs("ListClusters", &json!({}))?;
        for cluster in texts(&clusters["clusterArns"]) {
            let services = self.ecs("ListServices", &json!({ "cluster": cluster }))?;
            if let Some(service) = texts(&services["serviceArns"]).next() {
                let found = Deployment { cluster: cluster.to_owned(), service: service.to_owned(), id: String::new() };
                return Ok(Some(self.described(&found)?.0));
            }
        }
        Ok(None)
    }

    fn described(&self, deployment: &Deployment) -> Result<(Deployment, String)> {
        let Deployment { cluster, service, .. } = deployment;
        let answer = self.ecs("DescribeServices", &json!({ "cluster": cluster, "services": [service] }))?;
        let deployments = answer["services"][0]["deployments"].as_array().cloned().unwrap_or_default();
        let primary = deployments.iter().find(|deployment| deployment["status"] == "PRIMARY");
        let text = |key: &str| primary.and_then(|it| it[key].as_str()).unwrap_or_default().to_owned();
        Ok((Deployment { id: text("id"), ..deployment.clone() }, text("rolloutState")))
    }

    /// Replaces the running tasks by new ones of the same definition.
    pub(super) fn restart(&self, deployment: &Deployment) -> Result<()> {
        let Deployment { cluster, service, .. } = deployment;
        let request = json!({ "cluster": cluster, "service": service, "forceNewDeployment": true });
        self.ecs("UpdateService", &request)?;
        let (started, _) = self.described(deployment)?;
        let began = std::time::Instant::now();
        loop {
            let (now, state) = self.described(deployment)?;
            if now.id == started.id && state == "COMPLETED" {
                return Ok(());
            }
            if now.id != started.id || state == "FAILED" || began.elapsed() > PATIENCE {
                bail!("the restarted task did not become healthy; see `provision status` and the task's log");
            }
            if signals::asked_to_stop() {
                return Err(Interrupted.into());
            }
            signals::wait(INTERVAL);
        }
    }
}

/// What a service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployment {
    cluster: String,
    service: String,
    id: String,
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
