//===-- DeviceCases.cpp - Models on the GPU of this machine -------------------------------------------------===//
#include "DeviceModel.h"
#include <catch2/catch.hpp>

using namespace torsh::test;

TEST_CASE("models run on the real GPU", "[device]") {
  const std::string models[] = {mlpModel(), bertLayerModel(), mixedModel()};
  for (const std::string &text : models) {
    DeviceModel model(text);
    model.load(DeviceModel::Driver::Real);
    if (size_t reason = model.log.find(" runs on the CPU: ");
        model.log.find("the program runs on the GPU") == std::string::npos) {
      WARN("skipped: there is no GPU to test on" << model.log.substr(std::min(reason, model.log.size())));
      return;
    }
    std::string message;
    for (int64_t batch : {1, 33, 127, 1000}) {
      CHECK(model.run(batch, message) <= 1e-5);
      CHECK(message == "");
    }
  }
}
