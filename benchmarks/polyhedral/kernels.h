/*===-- kernels.h - The kernels of the comparison and their sizes ----------------------------------------------===*\
 * The list and the sizes were fixed before the first measurement. No plain contraction, no leading dim that is a power
 * of two; three stencils with time loops (PolyBench's extra-large planes, fewer steps), a scan and a triangular nest,
 * an overlapping pooling (the stem of a residual network), a normalisation across channels, an image chain.
 *
 * KERNEL(name, scale, elements of each array...): every array is float and is filled with values in (0, scale). An array
 * may be written; all of them are compared after a run.
\*===----------------------------------------------------------------------------------------------------------===*/
KERNEL(jacobi_2d, 1, 2800 * 2800, 2800 * 2800)                /* 30 steps */
KERNEL(heat_3d, 1, 200 * 200 * 200, 200 * 200 * 200)          /* 20 steps */
KERNEL(fdtd_2d, 1, 2000 * 2600, 2000 * 2600, 2000 * 2600, 30) /* 30 steps */
KERNEL(max_pool, 1, 64 * 113 * 113, 64 * 56 * 56)             /* 3 x 3, stride 2, channels first */
KERNEL(lrn, 2, 96 * 55 * 55, 96 * 55 * 55, 96 * 55 * 55, 96 * 55 * 55)
KERNEL(row_scan, 1, 1500 * 2003, 1500 * 2003)
KERNEL(triangular_mv, 1, 2500 * 2500, 2500, 2500, 2500, 2500) /* y = L x and z = L^T w */
KERNEL(unsharp, 1, 1500 * 2004, 1500 * 2004, 1500 * 2004, 1500 * 2004)
