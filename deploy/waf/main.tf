# The Cloudflare rules in front of the Worker. The description of each rule and README.md say what it is for.
# Terraform owns both phases of the zone, and replaces all of their rules.

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
  description = "The ID of the zone that contains the deployment's domain."
  type        = string
}

# The API token comes from CLOUDFLARE_API_TOKEN and needs "Zone WAF Write" for this zone, nothing else.
provider "cloudflare" {}

resource "cloudflare_ruleset" "custom" {
  zone_id = var.zone_id
  name    = "Words With Chat: never challenged, always blocked"
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
