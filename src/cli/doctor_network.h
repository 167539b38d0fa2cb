// The checks of `doctor` that ask somebody: credentials, clocks, servers, models. Every wait ends after 10 s.
#pragma once

#include <string>
#include <vector>

#include "async/event_loop.h"
#include "cli/doctor_report.h"
#include "model/connections.h"

namespace palette::cli {

// A model of the job, with the service tier that its step asks for.
struct DoctorModel {
  job::ResolvedModel model;
  std::string tier;
};

class NetworkChecks {
 public:
  // Both must outlive it.
  NetworkChecks(aws::Environment environment, DoctorReport& report);

  // Where the credentials come from, until when; Bedrock's API key. `is_needed`: the job calls Bedrock.
  void check_credentials(bool is_needed);

  // The clock of each server that the models are asked at, and what an OpenAI-compatible one says of its models.
  // `told_before`: what is wrong with their addresses was told already.
  void check_servers(const std::vector<job::ResolvedModel>& models, bool told_before);

  void check_price(const DoctorModel& model);

  // By a call of one token.
  void check_access(const DoctorModel& model);
  bool has_address(const job::ResolvedModel& of) const { return model::address_of(of, environment_).has_value(); }

 private:
  http::Outcome<http::Response> get(const http::Url& url, const std::string& bearer);
  void check_clock(const std::string& server, const http::Url& url);
  void list_models(const model::ModelAddress& address, const std::vector<std::string>& wanted);

  async::EventLoop loop_;
  aws::Environment environment_;
  DoctorReport& report_;
  model::Connections connections_;
};

}  // namespace palette::cli
