//===-- TileSizes.cpp - Tile sizes from a model of the caches -----------------------------------------------===//
//
// Traffic is counted in bytes that cross the border of the second-level cache. In the original order, a loop whose
// body fits into the cache reads its arrays once, any other loop reads them again in each iteration. With tiles, each
// tile reads its footprint, but for what it shares with the tile before it along the innermost cut member. A footprint is the box around the elements of each array; the width of a subscript follows
// from the widths of the loops, and those of skewed loops from the sizes of the members that bind them.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "passes/polyhedral/TileSizes.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

using namespace mlir;

namespace torsh::poly {
namespace {

constexpr int64_t parameterEstimate = 1000;
/// Cycles that a row costs beyond its elements: bounds, a rest, a wrong guess of the branch at its end, and the prefetcher
/// that has to find out again where the data are.
constexpr double rowCycles = 40;
/// A tile larger than this share of the cache loses lines to others.
constexpr double cacheShare = 0.5;
constexpr double beyondAllCaches = 16 << 20;

Subscript linear(AffineExpr expression, unsigned loops) {
  Subscript result;
  result.loops.assign(loops, 0);
  std::function<void(AffineExpr, int64_t)> add = [&](AffineExpr e, int64_t factor) {
    if (auto constant = dyn_cast<AffineConstantExpr>(e)) {
      result.constant += factor * constant.getValue();
    } else if (auto dim = dyn_cast<AffineDimExpr>(e)) {
      result.loops[dim.getPosition()] += factor;
    } else if (auto binary = dyn_cast<AffineBinaryOpExpr>(e)) {
      if (e.getKind() == AffineExprKind::Add) {
        add(binary.getLHS(), factor);
        add(binary.getRHS(), factor);
      } else if (auto by = dyn_cast<AffineConstantExpr>(binary.getRHS());
                 by && e.getKind() == AffineExprKind::Mul) {
        add(binary.getLHS(), factor * by.getValue());
      }
    }
  };
  add(expression, 1);
  return result;
}

struct Extent {
  double width = 0;
  int64_t low = 0, high = 0;
  bool seen = false;
};

/// Bytes of the boxes around what the statements touch when each loop has the given width.
double footprint(ArrayRef<BandStatement> statements, ArrayRef<SmallVector<double>> widths) {
  llvm::MapVector<Value, SmallVector<Extent>> arrays;
  for (auto [s, band] : llvm::enumerate(statements)) {
    for (auto [access, subscripts] : llvm::zip(band.statement->accesses, band.accesses)) {
      SmallVector<Extent> &extents = arrays[access.memref];
      extents.resize(subscripts.size());
      for (auto [d, subscript] : llvm::enumerate(subscripts)) {
        double width = 0;
        for (auto [loop, coefficient] : llvm::enumerate(subscript.loops))
          width += std::abs((double)coefficient) * (widths[s][loop] - 1);
        Extent &extent = extents[d];
        extent.width = std::max(extent.width, width);
        extent.low = extent.seen ? std::min(extent.low, subscript.constant) : subscript.constant;
        extent.high = extent.seen ? std::max(extent.high, subscript.constant) : subscript.constant;
        extent.seen = true;
      }
    }
  }
  double bytes = 0;
  for (auto &[memref, extents] : arrays) {
    auto type = cast<MemRefType>(memref.getType());
    double elements = 1;
    for (auto [d, extent] : llvm::enumerate(extents)) {
      double width = extent.width + 1 + (extent.high - extent.low);
      if (!type.isDynamicDim(d))
        width = std::min(width, (double)type.getDimSize(d));
      elements *= width;
    }
    bytes += elements * type.getElementTypeBitWidth() / 8;
  }
  return bytes;
}

/// Bytes that the original order moves, for statements that share their first `depth` loops.
double originalTraffic(ArrayRef<BandStatement> statements, unsigned depth, double cache) {
  auto widthsFrom = [](ArrayRef<BandStatement> group, unsigned first) {
    std::vector<SmallVector<double>> widths;
    for (const BandStatement &band : group) {
      widths.emplace_back();
      for (auto [loop, trip] : llvm::enumerate(band.trips))
        widths.back().push_back(loop < first ? 1.0 : (double)trip);
    }
    return widths;
  };
  double all = footprint(statements, widthsFrom(statements, depth));
  if (all <= cache)
    return all;
  llvm::MapVector<Operation *, std::vector<BandStatement>> groups;
  double bytes = 0;
  for (const BandStatement &band : statements) {
    if (band.trips.size() > depth)
      groups[band.statement->loops[depth]].push_back(band);
    else
      bytes += 4.0 * band.statement->accesses.size();
  }
  for (auto &[loop, group] : groups) {
    double body = footprint(group, widthsFrom(group, depth + 1));
    // Neighbouring iterations share what stays in the cache.
    if (2 * body <= cache)
      bytes += footprint(group, widthsFrom(group, depth));
    else
      bytes += group.front().trips[depth] * originalTraffic(group, depth + 1, cache);
  }
  return bytes;
}

/// Widths of a statement's loops in a tile: each member binds one more loop, as far as the loops in it are bound.
SmallVector<double> tileWidths(const BandStatement &band, ArrayRef<int64_t> sizes) {
  SmallVector<double> widths(band.trips.begin(), band.trips.end());
  for (auto [k, size] : llvm::enumerate(sizes)) {
    if (!size)
      continue;
    const SmallVector<int64_t> &member = band.members[k];
    // The last loop of a skewed member is the one that it binds.
    int bound = -1;
    for (auto [loop, coefficient] : llvm::enumerate(member))
      if (coefficient)
        bound = loop;
    if (bound < 0)
      continue;
    double width = size;
    for (auto [loop, coefficient] : llvm::enumerate(member))
      if ((int)loop != bound)
        width += std::abs((double)coefficient) * (widths[loop] - 1);
    widths[bound] = std::min(widths[bound], std::max(1.0, width / std::abs((double)member[bound])));
  }
  return widths;
}

double pointsOf(const BandStatement &band) {
  double points = 1;
  for (int64_t trip : band.trips)
    points *= trip;
  return points;
}

/// The loop that runs along the store's last subscript; -1 if there is none.
int rowLoop(const BandStatement &band) {
  // Reductions into a place that stands still in the innermost loop run along that loop.
  int innermost = (int)band.trips.size() - 1;
  if (band.statement->combine != Combine::None)
    return innermost;
  if (band.accesses.back().empty())
    return -1;
  const Subscript &last = band.accesses.back().back();
  for (int loop = innermost; loop >= 0; --loop)
    if (std::abs(last.loops[loop]) == 1)
      return loop;
  return -1;
}

double rowCost(ArrayRef<BandStatement> statements, ArrayRef<SmallVector<double>> widths) {
  double cycles = 0;
  for (auto [s, band] : llvm::enumerate(statements)) {
    int row = rowLoop(band);
    cycles += pointsOf(band) / (row < 0 ? 1.0 : widths[s][row]) * rowCycles;
  }
  return cycles;
}

} // namespace

static SmallVector<int64_t> estimateTrips(const Statement &statement) {
  isl::set domain = statement.domain;
  unsigned parameters = isl_set_dim(domain.get(), isl_dim_param);
  for (unsigned i = 0; i < parameters; ++i)
    domain = isl::manage(isl_set_fix_si(domain.release(), isl_dim_param, i, parameterEstimate));
  SmallVector<int64_t> trips;
  for (unsigned i = 0; i < statement.loops.size(); ++i) {
    if (domain.is_empty()) {
      trips.push_back(1);
      continue;
    }
    isl::val low = domain.dim_min_val(i), high = domain.dim_max_val(i);
    bool known = isl_val_is_int(low.get()) == isl_bool_true && isl_val_is_int(high.get()) == isl_bool_true;
    int64_t trip =
        known ? isl_val_get_num_si(high.get()) - isl_val_get_num_si(low.get()) + 1 : parameterEstimate;
    trips.push_back(
        std::max<int64_t>(1, trip / cast<affine::AffineForOp>(statement.loops[i]).getStepAsInt()));
  }
  return trips;
}

BandStatement describeStatement(const Statement &statement) {
  BandStatement result{&statement, estimateTrips(statement), {}, {}};
  for (const Access &access : statement.accesses) {
    result.accesses.emplace_back();
    for (AffineExpr expression : access.map.getResults())
      result.accesses.back().push_back(linear(expression, statement.loops.size()));
  }
  return result;
}

TileChoice chooseTileSizes(ArrayRef<BandStatement> statements, unsigned members, const Machine &machine) {
  double cache = machine.l2Bytes * cacheShare;
  std::vector<SmallVector<double>> widths;
  for (const BandStatement &band : statements)
    widths.emplace_back(band.trips.begin(), band.trips.end());
  double total = footprint(statements, widths);
  double bytesPerCycle = total > beyondAllCaches ? 4 : 12;
  double plain = originalTraffic(statements, 0, cache) / bytesPerCycle + rowCost(statements, widths);

  // The longest loop that a member binds.
  SmallVector<double> lengths(members, 1);
  for (unsigned k = 0; k < members; ++k)
    for (const BandStatement &band : statements)
      for (auto [loop, coefficient] : llvm::enumerate(band.members[k]))
        if (coefficient)
          lengths[k] = std::max(lengths[k], (double)band.trips[loop]);
  SmallVector<int64_t> sizes(members, 0), best;
  double bestCost = plain * 0.85;
  std::function<void(unsigned)> search = [&](unsigned member) {
    if (member < members) {
      for (int64_t size : {0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256, 512}) {
        if (size >= lengths[member])
          break;
        sizes[member] = size;
        search(member + 1);
      }
      return;
    }
    double tiles = 1;
    std::vector<SmallVector<double>> tile;
    for (const BandStatement &band : statements)
      tile.push_back(tileWidths(band, sizes));
    double bytes = footprint(statements, tile);
    if (bytes > cache)
      return;
    for (unsigned k = 0; k < members; ++k)
      if (sizes[k])
        tiles *= lengths[k] / sizes[k] + 0.5;
    // Tiles that follow each other share their borders: a row of tiles reads the box around all of it.
    unsigned last = members;
    while (last > 0 && !sizes[last - 1])
      --last;
    if (last > 0) {
      SmallVector<int64_t> row = sizes;
      row[last - 1] = 0;
      tiles /= lengths[last - 1] / sizes[last - 1] + 0.5;
      std::vector<SmallVector<double>> wide;
      for (const BandStatement &band : statements)
        wide.push_back(tileWidths(band, row));
      bytes = footprint(statements, wide);
    }
    double cost = tiles * bytes / bytesPerCycle + rowCost(statements, tile);
    if (cost < bestCost) {
      bestCost = cost;
      best = sizes;
    }
  };
  if (members > 0 && members <= 4)
    search(0);
  return {best, best.empty() ? plain : bestCost};
}

} // namespace torsh::poly
