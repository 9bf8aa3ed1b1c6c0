import type { BundleReport } from '../../shared/answers/bundles.ts';

/** The bundle's `README.md`: what it is, the two commands, and how the model comes back. */
export function bundleReadme(project: string, report: BundleReport): string {
  const rows = report.parts.map(
    ({ split, images, emptyImages, annotations, crowds }) => `| ${split} | ${images} | ${emptyImages} | ${annotations} | ${crowds} |`,
  );
  const classes = report.categories.map(
    ({ id, name, training, annotations }, index) => `| ${index + 1} | ${escaped(name)} | ${id} | ${training} | ${annotations} |`,
  );
  const held = report.parts.some(({ split }) => split === 'test') ? 'test' : 'val';
  const warnings = report.warnings.length === 0 ? '' : `\nBefore you train:\n\n${report.warnings.map((text) => `- ${text}`).join('\n')}\n`;
  return `# ${escaped(project)}: retraining Mask R-CNN

Written by Maskloop. The folder trains as it lies; it may be moved or copied to another machine.

    python3 -m pip install -r requirements.txt
    python3 train_torchvision.py

Python 3.9 or later, torchvision 0.14 or later. The model is then in \`runs/latest/\`: \`model.onnx\` with \`manifest.json\`
beside it. Back in Maskloop: Models → Bring a model back, or

    maskloop models return PROJECT_FOLDER runs/latest/model.onnx

That runs it, and the model before it, on the images of “${held}”, which this training never sees, and shows both.

| split | images | without an instance | instances | crowds |
|---|---|---|---|---|
${rows.join('\n')}

| class | name | id in the dataset | instances in train | in all |
|---|---|---|---|---|
${classes.join('\n')}
${warnings}
## Training

\`python3 train_torchvision.py --help\` lists everything. What matters most:

| option | what it does |
|---|---|
| \`--smoke\` | a few steps on a few small images, through to the ONNX file: shows within a minute or two that everything works here |
| \`--model resnet50\`, \`--model small\` | ResNet-50 with FPN (44 M parameters, starts from COCO weights), or a small network (4 M) that a CPU trains from scratch. Left out: ResNet-50 where its COCO weights can be had, else the small one |
| \`--weights FILE\` | COCO weights of torchvision's \`maskrcnn_resnet50_fpn\` as a file, for a machine without internet |
| \`--init FILE\` | starts from \`checkpoint.pt\` of an earlier run |
| \`--resume\` | goes on with the run that was interrupted |
| \`--epochs N\`, \`--size PX\`, \`--batch N\` | how long, how large the shorter side of an image becomes, how many images a step |
| \`--minutes M\` | ends in that time, whatever the machine |
| \`--seed N\` | the same seed, machine and versions give the same weights |

A checkpoint is written after every epoch; the one that is exported is the best by mask AP on “val” (on the last epoch where
there is no “val”). CUDA is used where it is there, with mixed precision.

\`train_detectron2.py\` trains the same data with Detectron2 and \`detectron2.yaml\`. It was written against Detectron2 0.6 and
checked for its syntax, but never run by Maskloop's makers. Maskloop reads what Detectron2's own tracing export makes of it:
drop the ONNX file on Maskloop's window.

## What lies here

- \`dataset/images/\`: the photographs, as they are in the project. Coordinates are those of the image ${
    report.pixelSpace === 'raw'
      ? "in the file's own rows and columns, whatever its EXIF orientation says"
      : 'as its EXIF orientation turns it'
  }; the scripts load it so.
- \`dataset/annotations/\`: COCO instances files, one a split. Masks with holes and crowds are RLE, the others polygons. Every
  instance was read back after writing and compared with the project.
- \`categories.json\`: which class has which id in the dataset and which number in the network. Both scripts read it.
- \`bundle.json\`: project, splits, hashes.
- \`bundle_data.py\`, \`bundle_model.py\`, \`bundle_score.py\`: reading the dataset, networks and ONNX, COCO's AP.
`;
}

/** Names are the user's: none of them makes a heading or a column. */
function escaped(text: string): string {
  return text.replace(/[\\|`*_<>#[\]]/g, (character) => `\\${character}`).replace(/\s+/g, ' ');
}
