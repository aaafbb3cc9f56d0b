#ifndef ADZE_PASSES_GRAPH
#define ADZE_PASSES_GRAPH

include "mlir/Pass/PassBase.td"

def FoldConstants : Pass<"adze-fold-constants"> {
  let summary = "Computes ops of constants";
  let description = [{
    Integer tensors of which every element is known, as shapes often are, become
    constants, as do ops whose operands all are constants. A result may be at
    most four times as large as the operands together, or 4 KB, so that an
    expanded scalar does not fill the artifact. Results above 1 KB are kept as
    resources: not hashed, not copied.

    Before:
    ```mlir
    %w = adze.constant dense<[[1, 2]]> : tensor<1x2xi32>
    %t = adze.transpose %w {perm = array<i64: 1, 0>} : (tensor<1x2xi32>) -> tensor<2x1xi32>
    ```
    After:
    ```mlir
    %t = adze.constant dense<[[1], [2]]> : tensor<2x1xi32>
    ```
  }];
  let statistics = [
    Statistic<"numFolded", "folded", "Ops computed">,
    Statistic<"numBytes", "bytes", "Bytes of constants made">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def SimplifyGraph : Pass<"adze-simplify"> {
  let summary = "Removes ops that do nothing";
  let description = [{
    One walk in program order. Removed: a reshape of a reshape, to the same
    shape; a slice of a slice of other axes; an expand to the same shape, or that an elementwise consumer does by
    broadcasting; concat of one; a slice of everything; a pad by nothing; a tile
    by ones; a cast to the same type; a reduction over extents of 1; x + 0,
    x - 0, x * 1, x / 1 and pow(x, 1). A division by a power of two becomes the
    exact multiplication. Equal shapes are proven with symbolic extents. A
    static shape is never given up for a dynamic one. x + 0 is taken as x, which
    differs for -0.0 alone, in sign.

    Before:
    ```mlir
    %1 = adze.reshape %x, %s0 : (tensor<2x6xf32>, tensor<3xi64>) -> tensor<2x3x2xf32>
    %2 = adze.reshape %1, %s1 : (tensor<2x3x2xf32>, tensor<1xi64>) -> tensor<12xf32>
    ```
    After:
    ```mlir
    %2 = adze.reshape %x, %s1 : (tensor<2x6xf32>, tensor<1xi64>) -> tensor<12xf32>
    ```
  }];
  let statistics = [Statistic<"numRemoved", "removed", "Ops removed or made cheaper">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def RecognizeNormalize : Pass<"adze-recognize-normalize"> {
  let summary = "Finds layer and RMS normalisation spelled out in simple ops";
  let description = [{
    (x - mean) / sqrt(mean((x - mean)^2) + epsilon) becomes a centred
    adze.normalize, x / sqrt(mean(x^2) + epsilon) one that is not; the square as
    x * x or pow(x, 2), the quotient also as a product with the reciprocal root or
    with pow(e, -0.5).
    A following scale and bias that broadcast to x join the op. epsilon must be
    a constant.

    Before:
    ```mlir
    %m = adze.reduce %x {kind = mean, axes = [1], keepdims} : ...
    %d = adze.elementwise sub(%x, %m) : ...
    %q = adze.elementwise mul(%d, %d) : ...
    %v = adze.reduce %q {kind = mean, axes = [1], keepdims} : ...
    %e = adze.elementwise add(%v, %epsilon) : ...
    %s = adze.elementwise sqrt(%e) : ...
    %y = adze.elementwise div(%d, %s) : ...
    ```
    After:
    ```mlir
    %y = adze.normalize %x {axes = array<i64: 1>, center = true, epsilon = 1.0e-5 : f32} : ...
    ```
  }];
  let statistics = [
    Statistic<"numNormalize", "normalize", "Normalisations found">,
    Statistic<"numAffine", "affine", "Scales and biases that joined one">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def RecognizeActivations : Pass<"adze-recognize-activations"> {
  let summary = "Finds activations spelled out in simple ops, and writes them with fewer and cheaper ones";
  let description = [{
    | from | to |
    |---|---|
    | 1 / (1 + exp(-x)), x / (1 + exp(-x)) | sigmoid(x), x * sigmoid(x) |
    | x * clip(x + 3, 0, 6) / 6, and without the x * | x * (clip(x + 3, 0, 6) * (1 / 6)) |
    | c * x * (1 + erf(x / s)) | (c x) * (1 + erf(x * (1 / s))) |
    | c * x * (1 + tanh(k (x + a x^3))) | 2c * x * sigmoid(x * (2k + 2ka x^2)) |

    Products are taken apart in any order. A division by a number becomes a
    product here, which may differ in the last place, only within these patterns.
    Elements of f32 only.

    Before:
    ```mlir
    %a = adze.elementwise add(%x, %three) : ...
    %c = adze.elementwise max(%a, %zero) : ...
    %d = adze.elementwise min(%c, %six) : ...
    %m = adze.elementwise mul(%x, %d) : ...
    %y = adze.elementwise div(%m, %six) : ...
    ```
    After:
    ```mlir
    %a = adze.elementwise add(%x, %three) : ...
    %c = adze.elementwise max(%a, %zero) : ...
    %d = adze.elementwise min(%c, %six) : ...
    %g = adze.elementwise mul(%d, %sixth) : ...
    %y = adze.elementwise mul(%x, %g) : ...
    ```
  }];
  let statistics = [Statistic<"numFound", "found", "Activations rewritten">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def RecognizeSoftmax : Pass<"adze-recognize-softmax"> {
  let summary = "Finds softmax spelled out in simple ops";
  let description = [{
    exp(x - max(x)) / sum(exp(x - max(x))) along one axis becomes adze.softmax,
    (x - max(x)) - log(sum(exp(x - max(x)))) its logarithm. Without the maximum
    the model overflows where softmax does not, and the results differ: it stays.

    Before:
    ```mlir
    %m = adze.reduce %x {kind = max, axes = [1], keepdims} : ...
    %d = adze.elementwise sub(%x, %m) : ...
    %e = adze.elementwise exp(%d) : ...
    %s = adze.reduce %e {kind = sum, axes = [1], keepdims} : ...
    %y = adze.elementwise div(%e, %s) : ...
    ```
    After:
    ```mlir
    %y = adze.softmax %x {axis = 1} : ...
    ```
  }];
  let statistics = [Statistic<"numFound", "found", "Softmaxes found">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def RecognizeRotary : Pass<"adze-recognize-rotary"> {
  let summary = "Computes rotary embeddings half by half";
  let description = [{
    x * cosine + concat(-x[h:], x[:h]) * sine, along the last axis of 2h elements,
    becomes the concat of its halves, each elementwise on slices: one kernel, that
    reads x once and writes each half in place. The numbers are the same.

    Before:
    ```mlir
    %l = adze.slice %x, ... : ...
    %h = adze.slice %x, ... : ...
    %n = adze.elementwise neg(%h) : ...
    %r = adze.concat %n, %l {axis = 1} : ...
    %a = adze.elementwise mul(%x, %cos) : ...
    %b = adze.elementwise mul(%r, %sin) : ...
    %y = adze.elementwise add(%a, %b) : ...
    ```
    After:
    ```mlir
    %a = adze.elementwise sub(%l * %cos_l, %h * %sin_l) : ...
    %b = adze.elementwise add(%h * %cos_h, %l * %sin_h) : ...
    %y = adze.concat %a, %b {axis = 1} : ...
    ```
  }];
  let statistics = [Statistic<"numFound", "found", "Rotations found">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def MergePads : Pass<"adze-merge-pads"> {
  let summary = "Lets a convolution pad what a pad before it did";
  let description = [{
    A pad with zeros of spatial axes before a convolution joins its pads.

    Before:
    ```mlir
    %p = adze.pad %x, %pads, %zero : ...
    %y = adze.conv %p, %w {pads = [0, 0, 0, 0], ...} : ...
    ```
    After:
    ```mlir
    %y = adze.conv %x, %w {pads = [1, 1, 1, 1], ...} : ...
    ```
  }];
  let statistics = [Statistic<"numMerged", "merged", "Pads that joined a convolution">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def FoldConvAffine : Pass<"adze-fold-conv-affine"> {
  let summary = "Folds scales and shifts behind a convolution or matmul into its constants";
  let description = [{
    A mul, div, add or sub by a constant scalar or per-channel vector after a
    conv or conv_transpose with a constant weight moves into weight and bias; a
    mul or div after a matmul into its constant right operand. The arithmetic on
    constants is left for `adze-fold-constants`. Floats only; a weight that is
    used elsewhere stays.

    Before:
    ```mlir
    %0 = adze.conv %x, %w {...} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %1 = adze.elementwise mul(%0, %scale) : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
    After:
    ```mlir
    %s = adze.reshape %scale, ... : ... -> tensor<4x1x1x1xf32>
    %v = adze.elementwise mul(%w, %s) : ...
    %1 = adze.conv %x, %v {...} : ...
    ```
  }];
  let statistics = [Statistic<"numFolded", "folded", "Elementwise ops folded away">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

def TraceShapes : Pass<"adze-trace-shapes", "::mlir::ModuleOp"> {
  let summary = "Takes shapes of values from the extents of the function's arguments";
  let description = [{
    Where every extent is a constant or surely that of an argument, what asks for a
    value's shape does not depend on the value: it may stay inside a kernel.

    Before:
    ```mlir
    %0 = adze.matmul %x, %w : (tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32>
    %1 = adze.shape_of %0 : (tensor<?x4xf32>) -> tensor<2xi64>
    ```
    After:
    ```mlir
    %1 = adze.shape_of %x : (tensor<?x8xf32>) -> tensor<2xi64>
    %2 = adze.gather %1, [0] {axis = 0 : i64} : ... -> tensor<1xi64>
    %3 = adze.concat %2, [4] {axis = 0 : i64} : ... -> tensor<2xi64>
    ```
  }];
  let statistics = [Statistic<"numTraced", "traced", "Shapes taken from arguments">];
  let dependentDialects = ["::adze::graph::AdzeDialect"];
}

#endif
