//===-- WinogradCases.cpp - The transforms of Winograd convolutions -----------------------------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

struct Image {
  int64_t images, height, width, channels, tile, low = 1, high = 1; ///< of the output
  bool dynamic = false;                                             ///< the number of images is a symbol
};

int64_t tilesOf(const Image &image) {
  auto along = [&](int64_t size) { return (size + image.tile - 1) / image.tile; };
  return along(image.height) * along(image.width);
}

std::string imageType(const Image &image, int64_t border) {
  return tensor({image.dynamic ? "n" : std::to_string(image.images), std::to_string(image.height + border),
                 std::to_string(image.width + border), std::to_string(image.channels)});
}

std::string tilesType(const Image &image) {
  std::string count =
      image.dynamic ? std::to_string(tilesOf(image)) + "*n" : std::to_string(image.images * tilesOf(image));
  return tensor({std::to_string((image.tile + 2) * (image.tile + 2)), count, std::to_string(image.channels)});
}

Case finish(const Image &image, Case made) {
  if (image.dynamic)
    made.symbols = {{"n", image.images}};
  return made;
}

Case input(const Image &image) {
  std::string x = imageType(image, 2 - image.low - image.high), v = tilesType(image);
  std::string low = std::to_string(image.low), high = std::to_string(image.high);
  return finish(image, {"winograd_input", "%x: " + x,
                        "%v = torsh.winograd_input %x tile = " + std::to_string(image.tile) + " low = [" +
                            low + ", " + low + "] high = [" + high + ", " + high + "] : (" + x + ") -> " + v,
                        "%v", v});
}

Case output(const Image &image, bool epilogue) {
  std::string m = tilesType(image), y = imageType(image, 0), c = tensor({std::to_string(image.channels)});
  std::string body =
      "%y = torsh.winograd_output %m tile = " + std::to_string(image.tile) + " : (" + m + ") -> " + y + "\n";
  if (!epilogue)
    return finish(image, {"winograd_output", "%m: " + m, body, "%y", y});
  body += "%b = torsh.broadcast %c axes = [3] : (" + c + ") -> " + y + "\n%s = torsh.add %y, %b : " + y +
          "\n%t = torsh.add %s, %r : " + y + "\n%z = torsh.maximum %t, %t : " + y;
  return finish(image, {"winograd_output", "%m: " + m + ", %c: " + c + ", %r: " + y, body, "%z", y});
}

const Image images[] = {{1, 8, 8, 8, 4},
                        {1, 8, 8, 8, 2},
                        {2, 7, 9, 16, 4},
                        {2, 7, 9, 16, 2},
                        {1, 1, 1, 8, 4},
                        {1, 1, 1, 8, 2},
                        {1, 13, 5, 24, 4, 0, 0},
                        {1, 6, 6, 48, 2, 2, 0},
                        {1, 12, 12, 8, 4, 0, 2},
                        {3, 10, 11, 32, 4, 1, 1, true},
                        {2, 5, 6, 8, 2, 1, 1, true}};

} // namespace

TEST_CASE("patches are transformed, with zeros around the image") {
  std::vector<Case> cases;
  for (const Image &image : images)
    cases.push_back(input(image));
  check(cases);
}

TEST_CASE("sums become pixels, with an epilogue") {
  std::vector<Case> cases;
  for (const Image &image : images) {
    // A symbol needs an input that has it alone, which is the added image.
    if (!image.dynamic)
      cases.push_back(output(image, false));
    cases.push_back(output(image, true));
  }
  check(cases);
}

TEST_CASE("transforms of channels that are no multiple of 8 are refused") {
  expectRefused(input({1, 8, 8, 12, 4}), "multiple of 8");
  expectRefused(output({1, 8, 8, 4, 2}, false), "multiple of 8");
}
