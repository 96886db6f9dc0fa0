# The Cloudflare rules in front of the Worker. What each is for stands in its description, and in README.md.
# Applying owns both phases of the zone: import rules that are already there first, or they are replaced.

terraform {
  required_version = ">= 1.5"
  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.0"
    }
  }
}

variable "zone_id" {
  description = "Id of the zone that the deployment's domain lies in."
  type        = string
}

# The API token comes from CLOUDFLARE_API_TOKEN and needs "Zone WAF Write" for this zone, nothing else.
provider "cloudflare" {}

resource "cloudflare_ruleset" "custom" {
  zone_id = var.zone_id
  name    = "Words With Chat: what is never challenged, what is never answered"
  kind    = "zone"
  phase   = "http_request_firewall_custom"
  rules   = jsondecode(file("${path.module}/custom-rules.json"))
}

resource "cloudflare_ruleset" "rate_limit" {
  zone_id = var.zone_id
  name    = "Words With Chat: floods"
  kind    = "zone"
  phase   = "http_ratelimit"
  rules   = jsondecode(file("${path.module}/rate-limit-rules.json"))
}
