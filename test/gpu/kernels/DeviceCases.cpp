//===-- DeviceCases.cpp - Device kernels at odd sizes -------------------------------------------------------===//
#include "DeviceKinds.h"

using namespace torsh::test;
using torsh::DeviceTarget;

static const int64_t oddSizes[] = {1, 31, 33, 127, 1000};

TEST_CASE("elementwise chains on a GPU") {
  std::vector<Case> cases;
  for (int64_t size : oddSizes) {
    cases.push_back(elementwiseChain(3, size));
    cases.push_back(elementwiseChain(size, 1));
    cases.push_back(elementwiseChain(2, size, "f16"));
    cases.push_back(elementwiseChain(2, size, "bf16"));
  }
  std::string type = tensor(std::vector<std::string>{"n", "m"});
  cases.push_back(
      {"elementwise", "%x: " + type, "%y = torsh.tanh %x : " + type, "%y", type, {{"n", 7}, {"m", 41}}});
  std::string scalar = tensor(std::vector<int64_t>{});
  cases.push_back({"elementwise", "%x: " + scalar, "%y = torsh.sqrt %x : " + scalar, "%y", scalar});
  cases.back().ranges[0] = {0, 4};
  checkOnDevice(cases);
}

TEST_CASE("softmax and layer norm on a GPU") {
  std::vector<Case> cases;
  for (int64_t size : oddSizes)
    for (const char *element : {"f32", "f16", "bf16"}) {
      cases.push_back(softmaxRows(3, size, element));
      cases.push_back(layerNormRows(2, size, element));
    }
  std::string type = tensor(std::vector<std::string>{"n", "m"});
  cases.push_back({"row_norm",
                   "%x: " + type,
                   "%y = torsh.log_softmax %x axis = 1 : " + type,
                   "%y",
                   type,
                   {{"n", 4}, {"m", 131}}});
  checkOnDevice(cases);
}

TEST_CASE("products of f32 on tensor cores keep the precision of f32") {
  checkOnDevice({
      product({1, 1, 1}),
      product({31, 33, 127}),
      product({127, 31, 33, RightForm::Plain}),
      product({33, 127, 31, RightForm::Transposed}),
      product({1, 1000, 31}),
      product({1000, 1, 33, RightForm::Plain}),
      product({33, 31, 1000}),
      product({31, 33, 36, RightForm::Plain, "f32", "", 3, true}),
      product({65, 66, 64, RightForm::Packed, "f32", "", 0, true}),
  });
}

TEST_CASE("products of tf32, f16 and bf16 on tensor cores") {
  DeviceOptions fast;
  fast.target = DeviceTarget{80, true};
  Case loose = product({33, 127, 36, RightForm::Packed, "f32", "", 0, true});
  loose.tolerance = 1e-3;
  checkOnDevice({loose}, fast);
  checkOnDevice({
      product({31, 33, 127, RightForm::Packed, "f16"}),
      product({127, 31, 40, RightForm::Packed, "f16", "", 0, true}),
      product({33, 65, 31, RightForm::Transposed, "f16", "", 2}),
      product({1, 127, 33, RightForm::Plain, "f16"}),
      product({31, 33, 127, RightForm::Packed, "bf16"}),
      product({65, 33, 64, RightForm::Packed, "bf16", "", 0, true}),
  });
  Case narrow = product({33, 31, 127, RightForm::Packed, "f32", "bf16"});
  narrow.tolerance = 1e-2;
  checkOnDevice({narrow});
}

TEST_CASE("a product copies asynchronously where 16 bytes lie together") {
  CHECK_THAT(runOnDevice(product({33, 31, 36})).note, Catch::EndsWith(", copied asynchronously"));
  CHECK_THAT(runOnDevice(product({33, 31, 37})).note, Catch::EndsWith(", right copied asynchronously"));
  CHECK_THAT(runOnDevice(product({33, 31, 36, RightForm::Plain})).note,
             Catch::EndsWith(", left copied asynchronously"));
  CHECK(runOnDevice(product({33, 31, 36})).outcome.copies > 0);
  CHECK(runOnDevice(product({33, 31, 37, RightForm::Plain})).outcome.copies == 0);
}

TEST_CASE("what a GPU has no code for is refused with a reason") {
  std::string type = tensor(std::vector<int64_t>{4, 8}, "f64");
  expectRefusedOnDevice({"row_norm", "%x: " + type, "%y = torsh.softmax %x axis = 1 : " + type, "%y", type},
                        "rows of another type than f32, f16 or bf16");
  expectRefusedOnDevice(product({4, 8, 8, RightForm::Plain, "f64"}), "the result is of another type");
  expectRefusedOnDevice({"scan", "%x: " + tensor(std::vector<int64_t>{4, 8}),
                         "%y = torsh.cumsum %x axis = 1 : " + tensor(std::vector<int64_t>{4, 8}), "%y",
                         tensor(std::vector<int64_t>{4, 8})},
                        "TSH-0590: kernels anchored by 'scan' have no code for a GPU");
}
