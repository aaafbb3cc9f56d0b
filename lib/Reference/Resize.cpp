// resize: ONNX Resize, one axis after the other. Interpolation is separable, so
// that gives what the sum over all neighbours would.
#include "lib/Reference/Call.h"
#include "lib/Reference/Saturate.h"

#include <cmath>

using namespace mlir;

namespace adze::reference {

namespace {
/// How one axis is resized.
struct ResizedAxis {
  StringRef mode, coordinates, nearest;
  int64_t in, out;
  double scale;               ///< result over input extent
  bool isRatio;               ///< exactly so: not rounded, as a scale in f32 is
  double resized;             ///< the result's extent before it was rounded to an integer
  double roiStart, roiEnd;
  double cubic;               ///< the coefficient a
  bool excludeOutside, antialias;

  /// The position in the input that result element `i` is taken from.
  double position(int64_t i) const;
  bool outside(double x) const {
    return coordinates == "tf_crop_and_resize" && (x < 0 || x > double(in - 1));
  }
  /// The input element nearest to position x.
  int64_t nearestTo(double x) const;
  /// Weights around x, of elements first, first + 1, ...; they sum to 1.
  std::vector<double> weights(double x, int64_t &first) const;
};

double ResizedAxis::position(int64_t i) const {
  double x = double(i), last = double(in - 1);
  // By whole numbers where it can be, so that whole positions come out whole.
  auto shrunk = [&](double v) { return isRatio ? v * double(in) / double(out) : v / scale; };
  if (coordinates == "asymmetric") return shrunk(x);
  if (coordinates == "tf_half_pixel_for_nn") return shrunk(x + 0.5);
  if (coordinates == "align_corners") return resized > 1 ? x * last / (resized - 1) : 0;
  if (coordinates == "tf_crop_and_resize") {
    double span = (roiEnd - roiStart) * last;
    return roiStart * last + (resized > 1 ? x * span / (resized - 1) : span / 2);
  }
  if (coordinates == "pytorch_half_pixel" && resized <= 1) return 0;
  double centre = shrunk(x + 0.5) - 0.5;
  if (coordinates != "half_pixel_symmetric") return centre;
  return double(in) / 2 * (1 - double(out) / resized) + centre;
}

int64_t ResizedAxis::nearestTo(double x) const {
  double at = std::floor(x);
  if (nearest == "ceil")
    at = std::ceil(x);
  else if (nearest == "round_prefer_floor")
    at = std::ceil(x - 0.5);
  else if (nearest == "round_prefer_ceil")
    at = std::floor(x + 0.5);
  return std::clamp<int64_t>(int64_t(at), 0, in - 1);
}

/// Keys' cubic convolution kernel.
double cubicKernel(double x, double a) {
  x = std::fabs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

std::vector<double> ResizedAxis::weights(double x, int64_t &first) const {
  // Antialiasing widens the kernel by how much the axis shrinks.
  double stretch = antialias ? std::min(scale, 1.0) : 1.0, radius = mode == "cubic" ? 2 : 1;
  int64_t base = int64_t(std::ceil(x)) - 1, start = int64_t(std::floor(-radius / stretch)) + 1;
  double ratio = x - double(base), sum = 0;
  std::vector<double> result;
  for (int64_t i = start; i < 2 - start; ++i) {
    double distance = (double(i) - ratio) * stretch;
    double w = mode == "cubic" ? cubicKernel(distance, cubic)
                               : std::clamp(1 - std::fabs(distance), 0.0, 1.0);
    if (excludeOutside && (base + i < 0 || base + i >= in)) w = 0;
    result.push_back(w);
    sum += w;
  }
  first = base + start;
  for (double &w : result) w /= sum;
  return result;
}

/// Interpolates `values`, of shape `shape`, along one axis.
std::vector<double> interpolate(const std::vector<double> &values, ArrayRef<int64_t> shape,
                                int64_t axis, const ResizedAxis &a, double extrapolation) {
  Lines lines(shape, axis);
  std::vector<double> result(lines.count() * a.out);
  for (int64_t i = 0; i < a.out; ++i) {
    double x = a.position(i);
    int64_t first = 0;
    std::vector<double> weights = a.weights(x, first);
    for (int64_t line = 0; line < lines.count(); ++line) {
      int64_t start = lines.start(line), outer = line / lines.inner, inner = line % lines.inner;
      double sum = 0;
      for (auto [k, w] : llvm::enumerate(weights))
        sum += w * values[start + std::clamp<int64_t>(first + k, 0, a.in - 1) * lines.inner];
      result[(outer * a.out + i) * lines.inner + inner] = a.outside(x) ? extrapolation : sum;
    }
  }
  return result;
}

ResizedAxis axisOf(graph::ResizeOp op, Call &call, int64_t axis, int64_t out) {
  const Tensor &x = call.in(0);
  ResizedAxis a{op.getMode(), op.getCoordinateMode(), op.getNearestMode(), x.dim(axis), out,
                toDoubles(call.in(2))[axis], false, 0, 0, 1, op.getCubicCoeffA().convertToFloat(),
                op.getExcludeOutside(), op.getAntialias()};
  // A scale that is the ratio of the extents, rounded to f32, means the ratio:
  // else positions that are whole numbers would fall short of them.
  a.isRatio = float(a.out) / float(a.in) == float(a.scale);
  a.resized = a.isRatio ? double(a.out) : a.scale * double(a.in);
  if (a.isRatio) a.scale = double(a.out) / double(a.in);
  if (const Tensor *roi = call.optional(op, 3)) {
    std::vector<double> values = toDoubles(*roi);
    a.roiStart = values[axis], a.roiEnd = values[x.rank() + axis];
  }
  return a;
}

void resizeNearest(Call &call, ArrayRef<ResizedAxis> axes, double extrapolation) {
  const Tensor &x = call.in(0);
  std::vector<std::vector<int64_t>> sources(axes.size());
  for (auto [from, a] : llvm::zip(sources, axes))
    for (int64_t i = 0; i < a.out; ++i) {
      double at = a.position(i);
      from.push_back(a.outside(at) ? -1 : a.nearestTo(at));
    }
  auto fill = Tensor::zeros(RankedTensorType::get({}, x.element()));
  if (!fill) return;
  if (isFloat(x.element()))
    storeDoubles(*fill, extrapolation);
  else
    storeInts(*fill, saturatedInt(x.element(), extrapolation));
  gatherBox(x, sources, fill->bytes(), call.out());
}
}  // namespace

ADZE_EVALUATE(ResizeOp) {
  const Tensor &x = call.in(0);
  std::vector<int64_t> sizes = toInts(call.in(1));
  SmallVector<ResizedAxis> axes;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (sizes[i] < 0 || (sizes[i] > 0 && x.dim(i) == 0))
      return call.error("axis ", i, " of extent ", x.dim(i), " cannot be resized to ", sizes[i]);
    axes.push_back(axisOf(op, call, i, sizes[i]));
    if (!(axes.back().scale > 0) && sizes[i] > 0)
      return call.error("the scale of axis ", i, " is not positive");
  }
  if (!call.out() && failed(call.make(0, sizes))) return failure();
  if (call.out().size() == 0) return success();
  double extrapolation = op.getExtrapolationValue().convertToFloat();
  if (op.getMode() == "nearest") {
    resizeNearest(call, axes, extrapolation);
    return success();
  }
  SmallVector<int64_t> shape(x.shape());
  std::vector<double> values = toDoubles(x);
  for (auto [i, a] : llvm::enumerate(axes)) {
    bool same = a.in == a.out && a.scale == 1 && a.coordinates != "tf_crop_and_resize";
    if (!same) values = interpolate(values, shape, i, a, extrapolation);
    shape[i] = a.out;
  }
  if (isFloat(x.element())) {
    storeDoubles(call.out(), values);
    return success();
  }
  std::vector<int64_t> ints;
  for (double v : values) ints.push_back(saturatedInt(x.element(), v));
  storeInts(call.out(), ints);
  return success();
}

}  // namespace adze::reference
