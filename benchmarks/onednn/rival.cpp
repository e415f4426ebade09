#include "rival.h"
#include "artifact_launches.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>

using dnnl::algorithm;
using dnnl::memory;
using Dims = memory::dims;

namespace {

constexpr auto f32 = memory::data_type::f32;
constexpr auto anyFormat = memory::format_tag::any;
/// Copies beyond this take more memory for handles than for weights.
constexpr size_t mostCopies = 16384;

struct Machine {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

Machine &machine() {
  static Machine one;
  return one;
}

size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

struct FreeMemory {
  void operator()(char *data) const { std::free(data); }
};
using Slab = std::unique_ptr<char, FreeMemory>;

Slab allocate(size_t bytes) {
  Slab slab(static_cast<char *>(std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096 + 4096)));
  if (!slab)
    fail("there is not enough memory");
  return slab;
}

memory::desc anyOf(const Dims &dims) { return {dims, f32, anyFormat}; }

memory plain(const View &view, const Dims &dims, const Dims &strides, const float *data) {
  return {memory::desc(dims, f32, strides), machine().engine, const_cast<float *>(data + view.offset)};
}

void reorder(memory from, memory to) {
  dnnl::reorder(from, to).execute(machine().stream, from, to);
  machine().stream.wait();
}

Dims denseStrides(const Dims &dims) {
  Dims strides(dims.size(), 1);
  for (size_t axis = dims.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * dims[axis];
  return strides;
}

/// The dims and strides that a primitive gives to an operand: its own order, which may merge axes of the job's.
struct Shape {
  Dims dims, strides;
};

/// A product of one pair of matrices is described without the batch.
Dims lastOf(const std::vector<int64_t> &values, size_t count) {
  return {values.end() - int64_t(count), values.end()};
}

/// What the primitives of one form (convolution, product) have in common.
struct Form {
  std::string name;
  Shape source, weights, result, bias;
  Dims channel; ///< the dims of an operand with one number for each column
};

dnnl::primitive_attr makeAttributes(const std::vector<PostOp> &posts, const Form &form) {
  dnnl::post_ops ops;
  for (const PostOp &post : posts) {
    auto eltwise = [&](algorithm which) { ops.append_eltwise(which, post.alpha, post.beta); };
    if (post.name == "relu")
      ops.append_eltwise(algorithm::eltwise_relu, 0, 0);
    else if (post.name == "clip")
      eltwise(algorithm::eltwise_clip);
    else if (post.name == "linear")
      eltwise(algorithm::eltwise_linear);
    else if (post.name == "swish")
      eltwise(algorithm::eltwise_swish);
    else if (post.name == "hardswish")
      eltwise(algorithm::eltwise_hardswish);
    else if (post.name == "hardsigmoid")
      eltwise(algorithm::eltwise_hardsigmoid);
    else if (post.name == "logistic")
      eltwise(algorithm::eltwise_logistic);
    else if (post.name == "tanh")
      eltwise(algorithm::eltwise_tanh);
    else if (post.name == "gelu_erf")
      eltwise(algorithm::eltwise_gelu_erf);
    else if (post.name == "sum")
      ops.append_sum(1.0f);
    else if (post.name == "add_channel" || post.name == "mul_channel")
      ops.append_binary(post.name == "add_channel" ? algorithm::binary_add : algorithm::binary_mul,
                        memory::desc(form.channel, f32, denseStrides(form.channel)));
    else
      fail("there is no post-op '" + post.name + "'");
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

class PrimitiveRival : public Rival {
public:
  PrimitiveRival(const dnnl::primitive_desc &description, const dnnl::primitive &primitive, const Form &form,
                 const Job &given, const Operands &operands)
      : primitive(primitive), form(form), job(given), operands(operands) {
    const dnnl::engine &engine = machine().engine;
    source = memory(description.src_desc(0), engine);
    reorder(plain(job.source, form.source.dims, form.source.strides, operands.buffers[job.source.buffer]),
            source);
    result = memory(description.dst_desc(0), engine);
    scratchpad = memory(description.scratchpad_desc(), engine);
    for (const PostOp &post : job.posts)
      if (post.name == "sum")
        addend = &post.operand;

    weightsDesc = description.weights_desc(0);
    spread(0);
  }

  /// Weights, bias and numbers of the columns lie together in each copy.
  void spread(size_t coldBytes) override {
    const dnnl::engine &engine = machine().engine;
    size_t numbers = size_t(job.isConv ? job.outChannels : job.columns) * sizeof(float);
    size_t channelBytes = aligned(numbers);
    std::vector<std::pair<int, const View *>> channels;
    if (job.bias.buffer >= 0)
      channels.push_back({DNNL_ARG_BIAS, &job.bias});
    for (size_t index = 0; index < job.posts.size(); ++index)
      if (job.posts[index].name == "add_channel" || job.posts[index].name == "mul_channel")
        channels.push_back(
            {DNNL_ARG_ATTR_MULTIPLE_POST_OP(int(index)) | DNNL_ARG_SRC_1, &job.posts[index].operand});
    size_t channelsAt = aligned(weightsDesc.get_size()), total = channelsAt + channels.size() * channelBytes;
    size_t copies = std::clamp<size_t>((coldBytes + total - 1) / total, 2, mostCopies);
    calls.clear();
    handles.clear();
    slab = allocate(total * copies);
    fillWeights(weightsDesc);
    for (size_t i = 0; i < channels.size(); ++i)
      std::memcpy(slab.get() + channelsAt + i * channelBytes,
                  operands.buffers[size_t(channels[i].second->buffer)] + channels[i].second->offset, numbers);
    auto channelDesc = memory::desc(form.channel, f32, denseStrides(form.channel));
    auto biasDesc = memory::desc(form.bias.dims, f32, form.bias.strides);
    for (size_t copy = 0; copy < copies; ++copy) {
      char *at = slab.get() + copy * total;
      if (copy)
        std::memcpy(at, slab.get(), total);
      std::vector<dnnl_exec_arg_t> arguments{{DNNL_ARG_SRC, source.get()},
                                             {DNNL_ARG_DST, result.get()},
                                             {DNNL_ARG_SCRATCHPAD, scratchpad.get()}};
      auto add = [&](int which, const memory::desc &desc, char *data) {
        handles.emplace_back(desc, engine, data);
        arguments.push_back({which, handles.back().get()});
      };
      add(DNNL_ARG_WEIGHTS, weightsDesc, at);
      for (size_t i = 0; i < channels.size(); ++i)
        add(channels[i].first, channels[i].first == DNNL_ARG_BIAS ? biasDesc : channelDesc,
            at + channelsAt + i * channelBytes);
      calls.push_back(std::move(arguments));
    }
    next = 0;
  }

  void run() override {
    const auto &arguments = calls[next];
    next = next + 1 == calls.size() ? 0 : next + 1;
    dnnl_primitive_execute(primitive.get(), machine().stream.get(), int(arguments.size()), arguments.data());
    dnnl_stream_wait(machine().stream.get());
  }

  void copyResult(float *to) override {
    reorder(result, plain(job.result, form.result.dims, form.result.strides, to));
  }

  void reset() override {
    if (addend)
      reorder(plain(*addend, form.result.dims, lastOf(addend->strides, form.result.dims.size()),
                    operands.buffers[addend->buffer]),
              result);
  }

private:
  void fillWeights(const memory::desc &desc) {
    memory inCopy(desc, machine().engine, slab.get());
    if (operands.weights) {
      reorder(plain(View(), form.weights.dims, form.weights.strides, operands.weights), inCopy);
      return;
    }
    auto *numbers = reinterpret_cast<float *>(slab.get());
    for (size_t i = 0; i < desc.get_size() / sizeof(float); ++i)
      numbers[i] = float(i % 61) / 610 - 0.05f;
  }

  dnnl::primitive primitive;
  Form form;
  Job job;
  Operands operands;
  const View *addend = nullptr; ///< in `job`
  memory::desc weightsDesc;
  memory source, result, scratchpad;
  Slab slab;
  std::vector<memory> handles; ///< of the copies
  std::vector<std::vector<dnnl_exec_arg_t>> calls;
  size_t next = 0;
};

class RivalMaker {
public:
  explicit RivalMaker(const Operands &operands) : operands(operands) {}

  void tryJob(const Job &job) { job.isConv ? tryConvolution(job) : tryProduct(job); }
  std::vector<std::unique_ptr<Rival>> rivals;

private:
  void tryConvolution(const Job &job);
  void tryProduct(const Job &job);
  /// Every implementation behind a primitive descriptor; slow reference ones only where there is nothing else.
  template <typename Primitive, typename Describe>
  void tryAll(const Form &form, const Job &job, Describe describe);

  const Operands &operands;
};

template <typename Primitive, typename Describe>
void RivalMaker::tryAll(const Form &form, const Job &job, Describe describe) {
  try {
    auto description = describe(makeAttributes(job.posts, form));
    do {
      std::string implementation = description.impl_info_str();
      if (implementation.find("ref") != std::string::npos && !rivals.empty())
        continue;
      rivals.push_back(
          std::make_unique<PrimitiveRival>(description, Primitive(description), form, job, operands));
      rivals.back()->name = form.name + " " + implementation;
    } while (description.next_impl());
  } catch (const dnnl::error &error) {
    if (error.status != dnnl_unimplemented)
      fail(form.name + ": " + error.what());
  }
}

/// A convolution of single pixels as a product of matrices, where the pixels' rows lie evenly.
std::optional<Job> asProduct(const Job &job) {
  auto isOne = [](const int64_t *pair) { return pair[0] == 1 && pair[1] == 1; };
  bool padded = job.low[0] || job.low[1] || job.high[0] || job.high[1];
  if (job.groups != 1 || !isOne(job.kernel) || !isOne(job.stride) || padded)
    return std::nullopt;
  Job product = job;
  product.isConv = false;
  product.batch = 1;
  product.rows = job.batch * job.out[0] * job.out[1];
  product.depth = job.inChannels;
  product.columns = job.outChannels;
  bool even = true;
  auto merge = [&](View &view) {
    const auto &d = view.dims, &s = view.strides;
    even &= (d[2] == 1 || s[2] == s[3] * d[3]) && (d[0] == 1 || s[0] == s[3] * d[3] * d[2]);
    view = {
        view.buffer, view.offset, {1, d[0] * d[2] * d[3], d[1]}, {0, d[3] == 1 ? d[1] * s[1] : s[3], s[1]}};
  };
  merge(product.source);
  merge(product.result);
  for (PostOp &post : product.posts)
    if (post.name == "sum")
      merge(post.operand);
  const View &w = job.weights;
  product.weights = {w.buffer, w.offset, {1, w.dims[1], w.dims[0]}, {0, w.strides[1], w.strides[0]}};
  return even ? std::optional(product) : std::nullopt;
}

void RivalMaker::tryConvolution(const Job &job) {
  const dnnl::engine &engine = machine().engine;
  Dims weights{job.outChannels / job.groups, job.inChannels / job.groups, job.kernel[0], job.kernel[1]};
  if (job.groups > 1)
    weights.insert(weights.begin(), job.groups);
  Form form{"",
            {job.source.dims, job.source.strides},
            {weights, job.weights.strides},
            {job.result.dims, job.result.strides},
            {{job.outChannels}, {1}},
            {1, job.outChannels, 1, 1}};
  Dims stride(job.stride, job.stride + 2), low(job.low, job.low + 2), high(job.high, job.high + 2);
  Dims dilation{job.dilation[0] - 1, job.dilation[1] - 1};
  for (auto [how, name] : {std::pair{algorithm::convolution_direct, "convolution"},
                           std::pair{algorithm::convolution_winograd, "Winograd convolution"}}) {
    form.name = name;
    tryAll<dnnl::convolution_forward>(form, job, [&, how = how](const dnnl::primitive_attr &attributes) {
      auto source = anyOf(form.source.dims), weights = anyOf(form.weights.dims),
           result = anyOf(form.result.dims);
      auto kind = dnnl::prop_kind::forward_inference;
      if (job.bias.buffer < 0)
        return dnnl::convolution_forward::primitive_desc(engine, kind, how, source, weights, result, stride,
                                                         dilation, low, high, attributes);
      return dnnl::convolution_forward::primitive_desc(engine, kind, how, source, weights,
                                                       memory::desc(form.bias.dims, f32, form.bias.strides),
                                                       result, stride, dilation, low, high, attributes);
    });
  }
  if (auto product = asProduct(job))
    tryProduct(*product);
}

void RivalMaker::tryProduct(const Job &job) {
  const dnnl::engine &engine = machine().engine;
  size_t rank = job.batch > 1 ? 3 : 2;
  auto shape = [&](const View &view) { return Shape{lastOf(view.dims, rank), lastOf(view.strides, rank)}; };
  Dims channel(rank, 1);
  channel.back() = job.columns;
  Form form{
      "matmul", shape(job.source), shape(job.weights), shape(job.result), {channel, denseStrides(channel)},
      channel};
  tryAll<dnnl::matmul>(form, job, [&](const dnnl::primitive_attr &attributes) {
    auto source = anyOf(form.source.dims), weights = anyOf(form.weights.dims),
         result = anyOf(form.result.dims);
    if (job.bias.buffer < 0)
      return dnnl::matmul::primitive_desc(engine, source, weights, result, attributes);
    return dnnl::matmul::primitive_desc(
        engine, source, weights, memory::desc(form.bias.dims, f32, form.bias.strides), result, attributes);
  });
  if (job.batch > 1)
    return;
  form.name = "inner product";
  std::swap(form.weights.dims[0], form.weights.dims[1]);
  std::swap(form.weights.strides[0], form.weights.strides[1]);
  form.bias = {{job.columns}, {1}};
  tryAll<dnnl::inner_product_forward>(form, job, [&](const dnnl::primitive_attr &attributes) {
    auto source = anyOf(form.source.dims), weights = anyOf(form.weights.dims),
         result = anyOf(form.result.dims);
    auto kind = dnnl::prop_kind::forward_inference;
    if (job.bias.buffer < 0)
      return dnnl::inner_product_forward::primitive_desc(engine, kind, source, weights, result, attributes);
    return dnnl::inner_product_forward::primitive_desc(engine, kind, source, weights,
                                                       memory::desc(form.bias.dims, f32, form.bias.strides),
                                                       result, attributes);
  });
}

} // namespace

std::vector<std::unique_ptr<Rival>> makeRivals(const Job &job, const Operands &operands) {
  RivalMaker maker(operands);
  maker.tryJob(job);
  if (maker.rivals.empty() && !job.posts.empty()) {
    Job bare = job;
    bare.posts.clear();
    maker.tryJob(bare);
    for (auto &rival : maker.rivals)
      rival->hasPosts = false;
  }
  if (maker.rivals.empty())
    fail("oneDNN has no implementation of job " + std::to_string(job.id));
  return std::move(maker.rivals);
}

std::string rivalVersion() {
  const dnnl_version_t *version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}
