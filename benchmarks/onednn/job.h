/// A contraction to measure, as compare.py writes it: words between blanks.
#ifndef TORSH_BENCHMARK_JOB_H
#define TORSH_BENCHMARK_JOB_H

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

/// A tensor within a buffer: strides and the offset count elements. No buffer: there is no such operand.
struct View {
  int buffer = -1;
  int64_t offset = 0;
  std::vector<int64_t> dims, strides;
};

/// An op behind the contraction; `operand` for those that take another tensor.
struct PostOp {
  std::string name;
  float alpha = 0, beta = 0;
  View operand;
};

struct Job {
  struct Buffer {
    size_t bytes;
    bool isWeight;
  };
  struct Step {
    size_t launch; ///< its index in a run
    std::string kernel;
    std::vector<int> inputs, outputs;
  };
  /// Panels of `lanes` columns: [lead][panels][depth][lanes], of which `columns` count. lead = 0: not packed.
  struct Packing {
    int64_t lead = 0, panels = 0, depth = 0, lanes = 0, columns = 0;
  };

  int id = 0;
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  bool isConv = false;
  int64_t batch = 1, groups = 1, inChannels = 0, outChannels = 0; ///< of a convolution
  int64_t in[2] = {}, out[2] = {}, kernel[2] = {}, stride[2] = {}, dilation[2] = {}, low[2] = {},
          high[2] = {};
  int64_t rows = 0, depth = 0, columns = 0; ///< of a product of `batch` matrices
  View source, weights, result,
      bias; ///< in the order of oneDNN's dims; no weights: ours are transformed ones
  Packing packing;
  std::vector<PostOp> posts;
};

/// The next job; false at the end. Ends the program when the text is no job.
bool readJob(std::istream &text, Job &job);

#endif
