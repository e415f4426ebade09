#include "job.h"
#include "artifact_launches.h"

namespace {

template <typename Number> Number read(std::istream &text) {
  Number value;
  if (!(text >> value))
    fail("the list of jobs is cut off");
  return value;
}

void expect(std::istream &text, const char *word) {
  if (auto found = read<std::string>(text); found != word)
    fail("the list of jobs has '" + found + "' instead of '" + word + "'");
}

template <typename Number> std::vector<Number> readList(std::istream &text) {
  std::vector<Number> values(read<size_t>(text));
  for (Number &value : values)
    value = read<Number>(text);
  return values;
}

View readView(std::istream &text) {
  View view;
  view.buffer = read<int>(text);
  view.offset = read<int64_t>(text);
  view.dims = readList<int64_t>(text);
  view.strides = readList<int64_t>(text);
  return view;
}

} // namespace

bool readJob(std::istream &text, Job &job) {
  std::string word;
  if (!(text >> word))
    return false;
  if (word != "job")
    fail("the list of jobs has '" + word + "' instead of 'job'");
  job = Job();
  job.id = read<int>(text);
  expect(text, "buffers");
  for (size_t n = read<size_t>(text); n; --n) {
    auto bytes = read<size_t>(text);
    job.buffers.push_back({bytes, read<int>(text) != 0});
  }
  expect(text, "steps");
  for (size_t n = read<size_t>(text); n; --n) {
    Job::Step step;
    step.launch = read<size_t>(text);
    step.kernel = read<std::string>(text);
    step.inputs = readList<int>(text);
    step.outputs = readList<int>(text);
    job.steps.push_back(step);
  }
  word = read<std::string>(text);
  job.isConv = word == "conv";
  job.batch = read<int64_t>(text);
  if (job.isConv) {
    for (int64_t *size : {&job.groups, &job.inChannels, &job.outChannels})
      *size = read<int64_t>(text);
    for (int64_t *pair : {job.in, job.out, job.kernel, job.stride, job.dilation, job.low, job.high})
      for (int axis = 0; axis < 2; ++axis)
        pair[axis] = read<int64_t>(text);
  } else {
    for (int64_t *size : {&job.rows, &job.depth, &job.columns})
      *size = read<int64_t>(text);
  }
  for (auto [name, view] : {std::pair<const char *, View *>{"source", &job.source},
                            {"weights", &job.weights},
                            {"result", &job.result},
                            {"bias", &job.bias}}) {
    expect(text, name);
    *view = readView(text);
  }
  expect(text, "packing");
  Job::Packing &packing = job.packing;
  for (int64_t *size : {&packing.lead, &packing.panels, &packing.depth, &packing.lanes, &packing.columns})
    *size = read<int64_t>(text);
  expect(text, "posts");
  for (size_t n = read<size_t>(text); n; --n) {
    PostOp post;
    post.name = read<std::string>(text);
    post.alpha = read<float>(text);
    post.beta = read<float>(text);
    post.operand = readView(text);
    job.posts.push_back(post);
  }
  return true;
}
